//! Words to an operation: who may say them, and what reaches the engine (I13).

use crate::world::*;
use protector_domain::ports::engine::{Command, EngineError, Order, Reply};
use serde_json::{Value, json};

fn path() -> String {
    format!("/v1/{MINE}/operations/{}/action", operation(0x51, MINE).id)
}

fn adopt() -> Value {
    json!({ "step": "boot_server/m", "object_id": "srv-1", "reason": "its key was cleared" })
}

/// The words, their orders, and whether they are for administrators alone.
fn words() -> [(Value, Order, bool); 5] {
    let reason = "they go by hand".to_owned();
    let adopted = Order::Adopt {
        step: "boot_server/m".to_owned(),
        object_id: "srv-1".to_owned(),
        reason: "its key was cleared".to_owned(),
    };
    [
        (json!({ "cancel": {} }), Order::Cancel {}, false),
        (json!({ "resume": {} }), Order::Resume {}, false),
        (
            json!({ "retry_members": {} }),
            Order::RetryMembers {},
            false,
        ),
        (
            json!({ "skip_step": { "reason": reason } }),
            Order::SkipStep { reason },
            true,
        ),
        (json!({ "adopt": adopt() }), adopted, true),
    ]
}

#[tokio::test(start_paused = true)]
async fn each_word_is_for_its_roles() {
    for (body, order, for_admins) in words() {
        for role in ["reader", "member", "admin"] {
            let world = World::new();
            let may = role == "admin" || (role == "member" && !for_admins);
            let accepted = Reply::Accepted {
                operation: Box::new(operation(0x51, MINE)),
            };
            if may {
                world.will(Ok(accepted));
            }
            let got = world.call(role, "POST", &path(), &body.to_string()).await;
            let order = order.clone();
            let operation = operation(0x51, MINE).id;
            if may {
                assert_eq!(got.status, http::StatusCode::ACCEPTED, "{role}: {body}");
                let told = Command::Operation { operation, order };
                assert_eq!(world.commands(), [told], "{role}: {body}");
            } else {
                assert_eq!(got.line(), "403 forbidden", "{role}: {body}");
                assert!(world.commands().is_empty(), "{role}: {body}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_foreign_operation_is_not_there() {
    for (body, _, _) in words() {
        let world = World::new();
        let id = operation(0x52, OTHER).id;
        let what = format!("operation {id}");
        world.will(Err(EngineError::NotFound { what }));
        let path = format!("/v1/{MINE}/operations/{id}/action");
        let got = world.call("admin", "POST", &path, &body.to_string()).await;
        assert_eq!(got.line(), "404 not_found", "{body}");
        let callers = world.callers();
        let project = callers[0].project.as_str();
        assert_eq!(project, MINE, "the engine hears whose word it is");
        // Another project's path is none at all, and nothing reaches the engine.
        let world = World::new();
        let path = format!("/v1/{OTHER}/operations/{id}/action");
        let got = world.call("member", "POST", &path, &body.to_string()).await;
        assert_eq!(got.line(), "404 not_found", "{body}");
        assert!(world.commands().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_adopted_is_named_whole() {
    for missing in ["step", "object_id", "reason"] {
        let world = World::new();
        let mut asked = adopt();
        asked.as_object_mut().unwrap().remove(missing);
        let body = json!({ "adopt": asked }).to_string();
        let got = world.call("admin", "POST", &path(), &body).await;
        assert_eq!(got.line(), "400 bad_request", "without {missing}");
        assert!(world.commands().is_empty());
    }
}
