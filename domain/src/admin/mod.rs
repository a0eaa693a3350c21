//! What an administrator registers once per pair of sites, and what is refused.
//!
//! Pure: names and URLs are judged here, and whether an offer may be pinned. Absent: the store, and
//! probing what was registered.

mod credential;
mod names;
mod pair;
mod refusal;
mod url;

pub use credential::{SiteCredential, check_secret};
pub use names::{check_name, check_text};
pub use pair::{PairAsk, PairFacts, Pinning, decide_pair};
pub use refusal::{AdminRefusal, UrlFault};
pub use url::{UrlRules, check_url};
