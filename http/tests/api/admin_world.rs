//! An admin port with one paired site and one of each other thing, that says what it is told to say.

use crate::world::{MINE, OTHER, site};
use async_trait::async_trait;
use protector_domain::admin::{CheckName, CheckResult, PairAsk, SiteCheck, SiteCredential};
use protector_domain::ids::TenantMappingId;
use protector_domain::ports::Admin;
use protector_domain::ports::admin::{
    AdminError, ArrayCreate, ArrayUpdate, ArrayView, OfferView, SiteCreate, SiteStatus, SiteType,
    SiteUpdate, SiteValidation, SiteView, TenantMappingCreate, TenantMappingUpdate,
    TenantMappingView,
};
use protector_domain::ports::engine::Caller;
use protector_domain::record::Mappings;
use protector_domain::sync::{PairOffer, SigningIdentity, fingerprint};
use protector_domain::volume_type::Eligibility;
use secrecy::ExposeSecret;
use std::sync::Mutex;
use uuid::Uuid;

/// A change as it reached the port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    Site(SiteCreate),
    Pair(String, PairAsk),
    /// Which site, and who.
    Credential(String, String),
    /// With its certificate and token.
    Array(ArrayView, Option<String>, Option<String>),
    Mapping(TenantMappingCreate),
    /// What is changed, removed or looked at: the verb, the name in the path, what was given.
    Later(&'static str, String, String),
}

#[derive(Default)]
pub struct Office {
    pub fails: Mutex<Option<AdminError>>,
    pub asked: Mutex<Vec<(Caller, Asked)>>,
}

pub fn offer() -> PairOffer {
    let identity = SigningIdentity::from_seed(site(2), &[2; 32]);
    PairOffer::of(&identity, Uuid::from_u128(20))
}

pub fn site_b() -> SiteView {
    SiteView {
        id: site(2),
        name: "site-b".to_owned(),
        description: "cellar".to_owned(),
        site_type: SiteType::Secondary,
        auth_url: "http://site-b.test/v3".to_owned(),
        region_name: "RegionOne".to_owned(),
        status: SiteStatus::Active,
        checked_us: Some(0),
        fingerprint: Some(fingerprint(&offer())),
        has_credential: true,
    }
}

pub fn array() -> ArrayView {
    ArrayView {
        id: "array-id-1".into(),
        name: "array-b".to_owned(),
        url: "https://array-b.test".to_owned(),
        allowed_projects: Some([MINE.into()].into()),
    }
}

pub fn mapping() -> TenantMappingView {
    TenantMappingView {
        id: TenantMappingId(Uuid::from_u128(7)),
        local_project: MINE.into(),
        remote_site: site(2),
        remote_project: OTHER.into(),
        description: String::new(),
        mappings: Mappings {
            keypairs: [("ops".to_owned(), "dr-ops".to_owned())].into(),
            ..Mappings::default()
        },
    }
}

pub fn validation() -> SiteValidation {
    let check = |name, result, remedy: Option<&str>| SiteCheck {
        name,
        result,
        cause: "as it is".to_owned(),
        remedy: remedy.map(str::to_owned),
    };
    SiteValidation {
        name: "site-b".to_owned(),
        status: Some(SiteStatus::Error),
        checks: vec![
            check(CheckName::Identity, CheckResult::Ok, None),
            check(
                CheckName::VolumeManage,
                CheckResult::Failed,
                Some("allow it"),
            ),
        ],
    }
}

pub fn plain_type() -> Eligibility {
    Eligibility {
        id: "t-1".to_owned(),
        name: "plain".to_owned(),
        replication_enabled: false,
        replication_type: None,
        against: Some("replication_enabled is not '<is> True'".to_owned()),
    }
}

impl Office {
    fn later<T>(
        &self,
        caller: &Caller,
        (verb, name): (&'static str, &str),
        given: String,
        good: T,
    ) -> Result<T, AdminError> {
        self.note(caller, Asked::Later(verb, name.to_owned(), given), good)
    }

    fn answer<T>(&self, good: T) -> Result<T, AdminError> {
        self.fails.lock().unwrap().clone().map_or(Ok(good), Err)
    }

    fn note<T>(&self, caller: &Caller, asked: Asked, good: T) -> Result<T, AdminError> {
        self.asked.lock().unwrap().push((caller.clone(), asked));
        self.answer(good)
    }

    pub fn fail(&self, error: impl Into<AdminError>) {
        *self.fails.lock().unwrap() = Some(error.into());
    }
}

#[async_trait]
impl Admin for Office {
    async fn site_list(&self) -> Result<Vec<SiteView>, AdminError> {
        self.answer(vec![site_b()])
    }

    async fn site_show(&self, site: &str) -> Result<SiteView, AdminError> {
        if site == "site-b" {
            return self.answer(site_b());
        }
        let what = format!("site {site}");
        Err(AdminError::NotFound { what })
    }

    async fn site_create(&self, caller: &Caller, site: SiteCreate) -> Result<SiteView, AdminError> {
        self.note(caller, Asked::Site(site), site_b())
    }

    async fn pair_offer(&self) -> Result<OfferView, AdminError> {
        self.answer(OfferView {
            fingerprint: fingerprint(&offer()),
            offer: offer(),
        })
    }

    async fn pair(
        &self,
        caller: &Caller,
        site: &str,
        ask: PairAsk,
    ) -> Result<SiteView, AdminError> {
        self.note(caller, Asked::Pair(site.to_owned(), ask), site_b())
    }

    async fn site_credential_set(
        &self,
        caller: &Caller,
        site: &str,
        credential: SiteCredential,
    ) -> Result<SiteView, AdminError> {
        let asked = Asked::Credential(site.to_owned(), credential.who());
        self.note(caller, asked, site_b())
    }

    async fn array_list(&self) -> Result<Vec<ArrayView>, AdminError> {
        self.answer(vec![array()])
    }

    async fn array_create(
        &self,
        caller: &Caller,
        array: ArrayCreate,
    ) -> Result<ArrayView, AdminError> {
        let token = array.token.map(|t| t.expose_secret().to_owned());
        let asked = Asked::Array(array.view.clone(), array.certificate, token);
        self.note(caller, asked, array.view)
    }

    async fn tenant_mapping_list(&self) -> Result<Vec<TenantMappingView>, AdminError> {
        self.answer(vec![mapping()])
    }

    async fn tenant_mapping_create(
        &self,
        caller: &Caller,
        asked: TenantMappingCreate,
    ) -> Result<TenantMappingView, AdminError> {
        self.note(caller, Asked::Mapping(asked), mapping())
    }

    async fn site_update(
        &self,
        caller: &Caller,
        site: &str,
        update: SiteUpdate,
    ) -> Result<SiteView, AdminError> {
        let given = format!("{:?} {:?}", update.name, update.credential.map(|c| c.who()));
        self.later(caller, ("site_update", site), given, site_b())
    }

    async fn site_delete(&self, caller: &Caller, site: &str) -> Result<(), AdminError> {
        self.later(caller, ("site_delete", site), String::new(), ())
    }

    async fn site_validate(
        &self,
        caller: &Caller,
        site: &str,
    ) -> Result<SiteValidation, AdminError> {
        self.later(caller, ("site_validate", site), String::new(), validation())
    }

    async fn site_volume_types(&self, _site: &str) -> Result<Vec<Eligibility>, AdminError> {
        self.answer(vec![plain_type()])
    }

    async fn array_update(
        &self,
        caller: &Caller,
        name: &str,
        update: ArrayUpdate,
    ) -> Result<ArrayView, AdminError> {
        let token = update.token.map(|t| t.expose_secret().to_owned());
        let given = format!(
            "{:?} {:?} {token:?}",
            update.allowed_projects, update.certificate
        );
        self.later(caller, ("array_update", name), given, array())
    }

    async fn array_delete(&self, caller: &Caller, array: &str) -> Result<(), AdminError> {
        self.later(caller, ("array_delete", array), String::new(), ())
    }

    async fn tenant_mapping_update(
        &self,
        caller: &Caller,
        id: TenantMappingId,
        update: TenantMappingUpdate,
    ) -> Result<TenantMappingView, AdminError> {
        let (id, given) = (id.to_string(), format!("{:?}", update.description));
        self.later(caller, ("tenant_mapping_update", &id), given, mapping())
    }

    async fn tenant_mapping_delete(
        &self,
        caller: &Caller,
        id: TenantMappingId,
    ) -> Result<(), AdminError> {
        let id = id.to_string();
        self.later(caller, ("tenant_mapping_delete", &id), String::new(), ())
    }
}
