//! Real servers for the tests, each of its own folder and port, that end with the test.

mod guard;
mod kafka;
mod postgres;

pub use kafka::{Kafka, KafkaOptions};
pub use postgres::{Answer, Postgres};

/// A port of this machine that nobody uses at the moment.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it is bound").port()
}
