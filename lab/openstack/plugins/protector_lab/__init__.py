"""What lets real Nova and Neutron services run with no data path behind them."""
