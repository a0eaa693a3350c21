//! The benches run and say something of everything that they are asked for. What they say is read by people:
//! no figure is asserted.

use protector_chaos_tests::bench::{Sizes, run, table};

#[test]
fn every_bench_gives_its_figures() {
    let sizes = Sizes {
        rounds: 1,
        vms: 3,
        actors: 60,
        steps: 64,
        mariadb: None,
        only: None,
    };
    let mut done = Vec::new();
    let figures = run(&sizes, |part| done.push(part.to_owned())).unwrap();
    for part in &done {
        let of_it = figures.iter().filter(|f| f.bench == part);
        let values: Vec<f64> = of_it.map(|f| f.median).collect();
        assert!(!values.is_empty(), "{part}");
        assert!(values.iter().all(|v| v.is_finite() && *v >= 0.0), "{part}");
    }
    let benches = ["step", "calls", "array", "cpu", "rto", "actors", "change"];
    assert_eq!(done, benches);
    assert_eq!(table(&figures).lines().count(), figures.len() + 2);
}
