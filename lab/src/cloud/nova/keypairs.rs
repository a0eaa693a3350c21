//! `/os-keypairs`: they belong to a user. Deliberately absent: made private keys.

use serde_json::{Value, json};

use super::Keypair;
use crate::cloud::Cloud;
use crate::cloud::dispatch::{Call, nowhere};
use crate::cloud::json;
use crate::cloud::timefmt::iso_micros;
use crate::cloud::wire::{Answer, Fault, Resp};

const CREATED_MINOR: u32 = 2;
const USER_MINOR: u32 = 10;

/// A stable stand-in for the MD5 fingerprint.
fn fingerprint(public_key: &str) -> String {
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for byte in public_key.bytes() {
        hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
    let pairs: Vec<String> = hash
        .to_be_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    pairs.join(":")
}

fn view(keypair: &Keypair, detail: bool) -> Value {
    let mut view = json!({
        "name": keypair.name, "public_key": keypair.public_key,
        "fingerprint": fingerprint(&keypair.public_key), "type": "ssh",
    });
    if detail {
        json::put(&mut view, "user_id", json!(keypair.user_id));
        json::put(
            &mut view,
            "created_at",
            json!(iso_micros(keypair.created_ms)),
        );
        json::put(&mut view, "deleted", json!(false));
    }
    view
}

impl Cloud {
    /// The user whose keys are meant: oneself, or anybody for an admin from 2.10 on.
    fn keypair_user(&self, call: &Call<'_>) -> Result<String, Fault> {
        let body_user = call
            .body
            .get("keypair")
            .and_then(|inner| json::text(inner, "user_id"));
        let asked = call
            .query("user_id")
            .or(body_user)
            .filter(|_| call.minor >= USER_MINOR);
        match asked {
            Some(user) if user != call.who.user_id && !call.who.is_admin() => {
                Err(Fault::forbidden(
                    "Policy doesn't allow os_compute_api:os-keypairs to be performed.",
                ))
            }
            Some(user) => Ok(user.to_owned()),
            None => Ok(call.who.user_id.clone()),
        }
    }

    pub(super) fn keypair_paths(&mut self, rest: &[&str], call: &Call<'_>) -> Answer {
        let user = self.keypair_user(call)?;
        let absent =
            |name: &str| Fault::not_found(format!("Keypair {name} not found for user {user}"));
        match (call.req.method.as_str(), rest) {
            ("GET", ["os-keypairs"]) => {
                let all = self.nova.keypairs.values();
                let views: Vec<Value> = all
                    .filter(|keypair| keypair.user_id == user)
                    .map(|keypair| json!({"keypair": view(keypair, false)}))
                    .collect();
                Ok(Resp::json(200, json!({"keypairs": views})))
            }
            ("GET", ["os-keypairs", name]) => {
                let key = (user.clone(), (*name).to_owned());
                let keypair = self.nova.keypairs.get(&key).ok_or_else(|| absent(name))?;
                Ok(Resp::json(200, json!({"keypair": view(keypair, true)})))
            }
            ("POST", ["os-keypairs"]) => self.keypair_create(user, call),
            ("DELETE", ["os-keypairs", name]) => {
                let key = (user.clone(), (*name).to_owned());
                self.nova
                    .keypairs
                    .remove(&key)
                    .ok_or_else(|| absent(name))?;
                Ok(Resp::empty(if call.minor >= CREATED_MINOR {
                    204
                } else {
                    202
                }))
            }
            _ => Err(nowhere()),
        }
    }

    fn keypair_create(&mut self, user_id: String, call: &Call<'_>) -> Answer {
        let asked = json::need_object(&call.body, "keypair")?;
        let name = json::need(asked, "name")?.to_owned();
        let key = (user_id.clone(), name.clone());
        if self.nova.keypairs.contains_key(&key) {
            return Err(Fault::conflict(format!(
                "Key pair '{name}' already exists."
            )));
        }
        let keypair = Keypair {
            name,
            user_id,
            public_key: json::need(asked, "public_key")?.to_owned(),
            created_ms: call.now_ms,
        };
        let mut shown = view(&keypair, false);
        json::put(&mut shown, "user_id", json!(keypair.user_id));
        self.nova.keypairs.insert(key, keypair);
        let status = if call.minor >= CREATED_MINOR {
            201
        } else {
            200
        };
        Ok(Resp::json(status, json!({"keypair": shown})))
    }
}
