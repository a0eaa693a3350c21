//! Every bound of this crate, by name.
//!
//! Absent: bounds of connections and headers, which belong to the accept loop.

/// Largest request body, bytes (K3).
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// Largest body that carries signed messages. A message may have 1 MiB by itself, grows when its
/// quotes are escaped, and a commit brings two.
pub const SYNC_BODY_BYTES_MAX: usize = 3 << 20;
/// Deepest nesting of a JSON body (K3).
pub const JSON_DEPTH_MAX: usize = 32;
/// How long a body may take to arrive, milliseconds (K5).
pub const BODY_TIMEOUT_MS: u64 = 10_000;
/// How long a request may take as a whole, milliseconds.
pub const REQUEST_TIMEOUT_MS: u64 = 30_000;
/// Requests in work at a time; a change goes on counting after its client hung up.
pub const IN_FLIGHT_MAX: usize = 128;
/// Event streams open at a time.
pub const STREAMS_MAX: usize = 64;
/// Longest life of one event stream, milliseconds. Clients come back with `Last-Event-ID`.
pub const STREAM_LIFETIME_MS: u64 = 600_000;
/// How often a stream of operation events asks the engine, milliseconds.
pub const EVENTS_POLL_MS: u64 = 1_000;
/// How often a stream shows the live tree, milliseconds.
pub const ACTORS_POLL_MS: u64 = 1_000;
/// How long a silent stream stays silent, milliseconds.
pub const STREAM_BEAT_MS: u64 = 15_000;
/// Messages that wait for a slow reader of a stream.
pub const STREAM_QUEUE_MAX: usize = 4;
/// Places of the live tree in one answer.
pub const ACTORS_MAX: usize = 5_000;
/// Longest path, bytes.
pub const PATH_BYTES_MAX: usize = 4_096;
/// Longest query, bytes.
pub const QUERY_BYTES_MAX: usize = 4_096;
/// Longest name or id in a path, marker or filter, characters (K1).
pub const NAME_CHARS_MAX: usize = 255;
/// Longest `Idempotency-Key`, bytes.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;
/// Longest token that Keystone is asked about, bytes.
pub const TOKEN_BYTES_MAX: usize = 8_192;
/// How long a validated token is believed, milliseconds. A revoked one lives on for as long (K9).
pub const TOKEN_TTL_MS: u64 = 30_000;
/// Tokens remembered at a time (K18).
pub const TOKENS_MAX: usize = 4_096;
/// Items on a page when none are asked for.
pub const PAGE_DEFAULT: u32 = 100;
/// Most items on a page (K14).
pub const PAGE_MAX: u32 = 1_000;
/// Seconds after which an overloaded or unavailable service may be asked again.
pub const RETRY_AFTER_S: u32 = 2;
/// Longest path shown in an error, characters.
pub const SHOWN_CHARS_MAX: usize = 200;
