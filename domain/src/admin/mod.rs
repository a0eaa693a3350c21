//! What an administrator registers once per pair of sites, and what is refused.
//!
//! Pure: names and URLs are judged here, and whether an offer may be pinned. Absent: the store, and
//! asking a site's cloud anything.

mod credential;
mod names;
mod pair;
mod refusal;
mod site_check;
mod url;
mod use_of;

pub use credential::{SiteCredential, check_secret};
pub use names::{check_name, check_text};
pub use pair::{PairAsk, PairFacts, Pinning, decide_pair};
pub use refusal::{AdminRefusal, UrlFault};
pub use site_check::{
    CheckName, CheckResult, CloudFacts, ProjectFacts, ServiceFacts, SiteCheck, SiteFacts,
    judge_site, served_by,
};
pub use url::{UrlRules, check_url};
pub use use_of::{groups_of_array, groups_of_mapping, groups_of_site, users};
