//! An admin port with one paired site and one of each other thing, that says what it is told to say.

use crate::world::{MINE, OTHER, site};
use async_trait::async_trait;
use protector_domain::admin::{PairAsk, SiteCredential};
use protector_domain::ids::TenantMappingId;
use protector_domain::ports::Admin;
use protector_domain::ports::admin::{
    AdminError, ArrayCreate, ArrayView, OfferView, SiteCreate, SiteStatus, SiteType, SiteView,
    TenantMappingCreate, TenantMappingView,
};
use protector_domain::ports::engine::Caller;
use protector_domain::sync::{PairOffer, SigningIdentity, fingerprint};
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
    }
}

impl Office {
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
}
