//! The OpenAPI 3.1 document: paths from the table of routes, bodies from the wire types.
//!
//! Absent: prose beyond summaries; a path is described where it is listed. What a request may carry beside
//! its body is in `parameters`, why it may fail in `failures`.

mod failures;
mod parameters;

use crate::policy::Need;
use crate::route::{Endpoint, ROUTES, Route};
use crate::wire::{
    actions, admin, admin_changes, changes, consistency, group, looks, operation, orders, sync,
    system,
};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

/// Names of the schemas of a route's bodies, and the good statuses.
struct Bodies {
    request: Option<&'static str>,
    answers: &'static [(u16, &'static str)],
}

/// The name of no body at all.
const NOTHING: &str = "Nothing";

/// The whole document.
pub fn openapi_document() -> Value {
    let mut paths = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.template).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(route.method.to_ascii_lowercase(), operation_of(route));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Protector",
            "version": "1.0",
            "description": "Tenant-driven disaster recovery for OpenStack.",
            "license": { "name": "Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "headers": {
                "RequestId": {
                    "description": "Finds the request in the log.",
                    "required": true,
                    "schema": { "type": "string", "pattern": "^req-[0-9a-f-]{36}$" },
                },
            },
            "securitySchemes": {
                "token": { "type": "apiKey", "in": "header", "name": "X-Auth-Token" },
            },
        },
    })
}

fn operation_of(route: &Route) -> Value {
    let bodies = bodies(route.endpoint);
    let mut responses = Map::new();
    for (status, schema) in bodies.answers {
        let content = content(route.endpoint, schema);
        responses.insert(status.to_string(), answer(route.summary, content));
    }
    for status in failures::statuses(route) {
        let why = status.canonical_reason().unwrap_or("Why not");
        let content = content(route.endpoint, "ErrorAnswer");
        responses.insert(status.as_str().to_owned(), answer(why, content));
    }
    let mut operation = Map::new();
    let mut say = |key: &str, value: Value| operation.insert(key.to_owned(), value);
    say("operationId", json!(format!("{:?}", route.endpoint)));
    say("summary", json!(route.summary));
    say("parameters", json!(parameters::parameters(route)));
    say("responses", json!(responses));
    if let Some(request) = bodies.request {
        let body = json!({ "required": true, "content": content(route.endpoint, request) });
        say("requestBody", body);
    }
    if route.need != Need::Open {
        say("security", json!([{ "token": [] }]));
    }
    Value::Object(operation)
}

/// An answer with the headers that all have.
fn answer(description: &str, content: Option<Value>) -> Value {
    let id = json!({ "$ref": "#/components/headers/RequestId" });
    let mut answer =
        json!({ "description": description, "headers": { "X-OpenStack-Request-ID": id } });
    if let (Some(content), Some(answer)) = (content, answer.as_object_mut()) {
        answer.insert("content".to_owned(), content);
    }
    answer
}

/// A body by its media types; none for no body at all.
fn content(endpoint: Endpoint, schema: &str) -> Option<Value> {
    let text = json!({ "schema": { "type": "string" } });
    let json = match schema {
        NOTHING => return None,
        "EventStream" => return Some(json!({ "text/event-stream": text })),
        "Anything" => json!({ "type": "object" }),
        named => json!({ "$ref": format!("#/components/schemas/{named}") }),
    };
    let json = json!({ "schema": json });
    Some(match (endpoint, schema) {
        (Endpoint::ActorList, "ActorsAnswer") => {
            json!({ "application/json": json, "text/plain": text })
        }
        (Endpoint::OperationEvents, "EventsAnswer") => {
            json!({ "application/json": json, "text/event-stream": text })
        }
        _ => json!({ "application/json": json }),
    })
}

const fn reads(answers: &'static [(u16, &'static str)]) -> Bodies {
    Bodies {
        request: None,
        answers,
    }
}

const fn takes(request: &'static str, answers: &'static [(u16, &'static str)]) -> Bodies {
    Bodies {
        request: Some(request),
        answers,
    }
}

fn bodies(endpoint: Endpoint) -> Bodies {
    match endpoint {
        Endpoint::Versions => reads(&[(300, "VersionsAnswer")]),
        Endpoint::VersionShow => reads(&[(200, "VersionAnswer")]),
        Endpoint::Health => reads(&[(200, "HealthAnswer")]),
        Endpoint::OpenApi => reads(&[(200, "Anything")]),
        Endpoint::ActorList => reads(&[(200, "ActorsAnswer")]),
        Endpoint::ActorStream => reads(&[(200, "EventStream")]),
        Endpoint::SiteList => reads(&[(200, "SitesAnswer")]),
        Endpoint::SiteShow => reads(&[(200, "SiteAnswer")]),
        Endpoint::PairShow => reads(&[(200, "OfferAnswer")]),
        Endpoint::ArrayList => reads(&[(200, "ArraysAnswer")]),
        Endpoint::TenantMappingList => reads(&[(200, "TenantMappingsAnswer")]),
        Endpoint::TenantSiteList => reads(&[(200, "TenantSitesAnswer")]),
        Endpoint::SiteUpdate => takes("SiteUpdateRequest", &[(200, "SiteAnswer")]),
        Endpoint::ArrayUpdate => takes("ArrayUpdateRequest", &[(200, "ArrayAnswer")]),
        Endpoint::TenantMappingUpdate => takes(
            "TenantMappingUpdateRequest",
            &[(200, "TenantMappingAnswer")],
        ),
        Endpoint::SiteDelete | Endpoint::ArrayDelete | Endpoint::TenantMappingDelete => {
            reads(&[(204, NOTHING)])
        }
        Endpoint::SiteValidate => reads(&[(200, "ValidationAnswer")]),
        Endpoint::VolumeTypeList => reads(&[(200, "VolumeTypesAnswer")]),
        Endpoint::ConsistencyGroupShow => reads(&[(200, "ConsistencyGroupAnswer")]),
        Endpoint::RecoveryPointList => reads(&[(200, "RecoveryPointsAnswer")]),
        Endpoint::HealthShow => reads(&[(200, "GroupHealthAnswer")]),
        Endpoint::SiteCreate => takes("SiteCreateRequest", &[(201, "SiteAnswer")]),
        Endpoint::SitePair => takes("PairRequest", &[(200, "SiteAnswer")]),
        Endpoint::SiteCredentialSet => takes("SiteCredentialRequest", &[(200, "SiteAnswer")]),
        Endpoint::ArrayCreate => takes("ArrayCreateRequest", &[(201, "ArrayAnswer")]),
        Endpoint::TenantMappingCreate => takes(
            "TenantMappingCreateRequest",
            &[(201, "TenantMappingAnswer")],
        ),
        Endpoint::GroupList => reads(&[(200, "GroupsAnswer")]),
        Endpoint::GroupShow => reads(&[(200, "GroupAnswer")]),
        Endpoint::MemberList => reads(&[(200, "MembersAnswer")]),
        Endpoint::PolicyShow => reads(&[(200, "PolicyAnswer")]),
        Endpoint::MappingsShow => reads(&[(200, "MappingsAnswer")]),
        Endpoint::SyncShow => reads(&[(200, "SyncAnswer")]),
        Endpoint::OperationList => reads(&[(200, "OperationsAnswer")]),
        Endpoint::OperationShow => reads(&[(200, "OperationAnswer")]),
        Endpoint::OperationAction => takes("OperationActionRequest", &[(202, "OperationAnswer")]),
        Endpoint::OperationEvents => reads(&[(200, "EventsAnswer")]),
        Endpoint::GroupCreate => takes("GroupCreateRequest", &[(202, "TicketAnswer")]),
        Endpoint::GroupUpdate => takes("GroupUpdateRequest", &[(202, "TicketAnswer")]),
        Endpoint::GroupDelete => reads(&[(202, "DeleteAnswer")]),
        Endpoint::MemberAdd => takes("MemberAddRequest", &[(202, "TicketAnswer")]),
        Endpoint::PolicySet => takes("PolicySetRequest", &[(202, "TicketAnswer")]),
        Endpoint::MappingsSet => takes("MappingsSetRequest", &[(202, "TicketAnswer")]),
        Endpoint::GroupAction => takes(
            "ActionRequest",
            &[(202, "ActionStarted"), (200, "ActionAnswer")],
        ),
        Endpoint::LockTicket
        | Endpoint::HeadTicket
        | Endpoint::SignHead
        | Endpoint::SyncHead
        | Endpoint::SyncAskRelease
        | Endpoint::SyncRelease
        | Endpoint::SyncWithdraw
        | Endpoint::SyncReserve
        | Endpoint::SyncCommit
        | Endpoint::SyncStore
        | Endpoint::SyncReceipt => courier_bodies(endpoint),
    }
}

/// Tickets, and what couriers bring.
fn courier_bodies(endpoint: Endpoint) -> Bodies {
    match endpoint {
        Endpoint::LockTicket => takes("Empty", &[(202, "LockTicketAnswer")]),
        Endpoint::HeadTicket => takes("Empty", &[(202, "LockTicketAnswer")]),
        Endpoint::SignHead => takes("ReserveRequest", &[(200, "HeadAnswer")]),
        Endpoint::SyncHead => takes(
            "CompareHeadRequest",
            &[(200, "ComparedAnswer"), (202, "EnvelopeAnswer")],
        ),
        Endpoint::SyncAskRelease => takes("AskReleaseRequest", &[(200, "ReleaseAnswer")]),
        Endpoint::SyncRelease => takes("ReleaseRequest", &[(202, "EnvelopeAnswer")]),
        Endpoint::SyncWithdraw => takes("WithdrawRequest", &[(202, "EnvelopeAnswer")]),
        Endpoint::SyncReserve => takes("ReserveRequest", &[(200, "ReserveAnswer")]),
        Endpoint::SyncCommit => takes("CommitRequest", &[(202, "EnvelopeAnswer")]),
        Endpoint::SyncStore => takes("StoreRequest", &[(200, "StoreAnswer")]),
        Endpoint::SyncReceipt => takes("ReceiptRequest", &[(200, "SyncedAnswer")]),
        _ => reads(&[]),
    }
}

/// Of an object whose fields exclude each other: one is given, and says something.
fn exactly_one(schema: &mut Value) {
    let Some(fields) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    for field in fields.values_mut() {
        let kinds = field.get_mut("oneOf").and_then(Value::as_array_mut);
        if let Some(kinds) = kinds {
            kinds.retain(|kind| kind.get("type") != Some(&json!("null")));
        }
    }
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("minProperties".to_owned(), json!(1));
        schema.insert("maxProperties".to_owned(), json!(1));
    }
}

type Named = (String, RefOr<Schema>);

fn with<T: ToSchema>(all: &mut Vec<Named>) {
    all.push((T::name().into_owned(), T::schema()));
    T::schemas(all);
}

fn admin_schemas(all: &mut Vec<Named>) {
    with::<admin::SitesAnswer>(all);
    with::<admin::SiteAnswer>(all);
    with::<admin::OfferAnswer>(all);
    with::<admin::ArraysAnswer>(all);
    with::<admin::ArrayAnswer>(all);
    with::<admin::TenantMappingsAnswer>(all);
    with::<admin::TenantMappingAnswer>(all);
    with::<admin::TenantSitesAnswer>(all);
    with::<admin::SiteCreateRequest>(all);
    with::<admin::PairRequest>(all);
    with::<admin::SiteCredentialRequest>(all);
    with::<admin::ArrayCreateRequest>(all);
    with::<admin::TenantMappingCreateRequest>(all);
    with::<admin_changes::SiteUpdateRequest>(all);
    with::<admin_changes::ArrayUpdateRequest>(all);
    with::<admin_changes::TenantMappingUpdateRequest>(all);
    with::<looks::ValidationAnswer>(all);
    with::<looks::VolumeTypesAnswer>(all);
}

/// Every wire type.
fn wire_schemas() -> Vec<Named> {
    let mut all = Vec::new();
    with::<system::VersionsAnswer>(&mut all);
    with::<system::VersionAnswer>(&mut all);
    with::<system::HealthAnswer>(&mut all);
    with::<system::ActorsAnswer>(&mut all);
    with::<system::ErrorAnswer>(&mut all);
    with::<group::GroupsAnswer>(&mut all);
    with::<group::GroupAnswer>(&mut all);
    with::<group::MembersAnswer>(&mut all);
    with::<group::PolicyAnswer>(&mut all);
    with::<group::MappingsAnswer>(&mut all);
    with::<consistency::ConsistencyGroupAnswer>(&mut all);
    with::<looks::RecoveryPointsAnswer>(&mut all);
    with::<looks::HealthAnswer>(&mut all);
    with::<changes::GroupCreateRequest>(&mut all);
    with::<changes::GroupUpdateRequest>(&mut all);
    with::<changes::MemberAddRequest>(&mut all);
    with::<changes::PolicySetRequest>(&mut all);
    with::<changes::MappingsSetRequest>(&mut all);
    with::<actions::ActionRequest>(&mut all);
    with::<actions::Empty>(&mut all);
    with::<orders::OperationActionRequest>(&mut all);
    with::<operation::OperationsAnswer>(&mut all);
    with::<operation::OperationAnswer>(&mut all);
    with::<operation::StartedAnswer>(&mut all);
    with::<operation::EventsAnswer>(&mut all);
    with::<operation::PlanAnswer>(&mut all);
    with::<operation::SnapshotAnswer>(&mut all);
    with::<sync::SyncAnswer>(&mut all);
    with::<sync::TicketAnswer>(&mut all);
    with::<sync::LockTicketAnswer>(&mut all);
    with::<sync::CompareHeadRequest>(&mut all);
    with::<sync::HeadAnswer>(&mut all);
    with::<sync::TrustedAnswer>(&mut all);
    with::<sync::AskReleaseRequest>(&mut all);
    with::<sync::ReleaseRequest>(&mut all);
    with::<sync::WithdrawRequest>(&mut all);
    with::<sync::ReleaseAnswer>(&mut all);
    with::<sync::EnvelopeAnswer>(&mut all);
    with::<sync::SyncedAnswer>(&mut all);
    with::<sync::ReservationAnswer>(&mut all);
    with::<sync::StoredAnswer>(&mut all);
    with::<sync::RejectionAnswer>(&mut all);
    with::<sync::OwnRecordAnswer>(&mut all);
    with::<sync::ReserveRequest>(&mut all);
    with::<sync::CommitRequest>(&mut all);
    with::<sync::StoreRequest>(&mut all);
    with::<sync::ReceiptRequest>(&mut all);
    admin_schemas(&mut all);
    all
}

/// Every wire type, and the six answers that are one type or another.
fn schemas() -> Value {
    let all = wire_schemas();
    let named = all.into_iter().map(|(name, schema)| (name, json!(schema)));
    let mut schemas: Map<String, Value> = named.collect();
    let either: [(&str, &[&str]); 6] = [
        ("ComparedAnswer", &["TrustedAnswer", "RejectionAnswer"]),
        ("DeleteAnswer", &["TicketAnswer", "EnvelopeAnswer"]),
        ("ActionStarted", &["StartedAnswer", "TicketAnswer"]),
        ("ActionAnswer", &["PlanAnswer", "SnapshotAnswer"]),
        ("ReserveAnswer", &["ReservationAnswer", "RejectionAnswer"]),
        (
            "StoreAnswer",
            &["StoredAnswer", "RejectionAnswer", "OwnRecordAnswer"],
        ),
    ];
    for name in ["ActionRequest", "OperationActionRequest"] {
        if let Some(schema) = schemas.get_mut(name) {
            exactly_one(schema);
        }
    }
    for (name, one_of) in either {
        let reference = |name: &&str| json!({ "$ref": format!("#/components/schemas/{name}") });
        let one_of: Vec<Value> = one_of.iter().map(reference).collect();
        schemas.insert(name.to_owned(), json!({ "oneOf": one_of }));
    }
    Value::Object(schemas)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two types of one name would describe one of them wrongly.
    #[test]
    fn a_name_stands_for_one_schema() {
        let mut seen = Map::new();
        for (name, schema) in wire_schemas() {
            let schema = json!(schema);
            let before = seen.insert(name.clone(), schema.clone());
            assert!(
                before.is_none_or(|before| before == schema),
                "{name} is two types"
            );
        }
    }
}
