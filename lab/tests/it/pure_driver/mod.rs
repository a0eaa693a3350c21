//! The Pure driver against the array model served as Purity REST: the common suite of all drivers,
//! over the wire in process, with batches and without, and once over real TLS.
mod fixture;
mod tls;
mod wire;

use fixture::WireFixture;

async fn with_batches() -> WireFixture {
    WireFixture::new(&["2.0", "2.4", fixture::WITH_BATCHES])
}

async fn without_batches() -> WireFixture {
    WireFixture::new(&["2.0", "2.4", "2.26"])
}

mod batches {
    protector_storage_drivers::storage_driver_conformance!(super::with_batches);
}

mod one_by_one {
    protector_storage_drivers::storage_driver_conformance!(super::without_batches);
}
