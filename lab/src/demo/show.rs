//! The demo on a terminal. Absent: everything but words and bars.

use super::Summary;
use crate::cloud::{GroundTruth, Server};
use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use protector_domain::effect::METADATA_KEY;
use serde_json::Value;

/// Where the story goes: to people, or nowhere until the summary.
#[derive(Clone)]
pub(super) struct Screen {
    json: bool,
    bar: ProgressBar,
}

impl Screen {
    pub fn new(json: bool) -> Self {
        let target = if json {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(Some(100), target);
        let style = ProgressStyle::with_template("  {bar:40} {pos:>3} %  {msg}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Self { json, bar }
    }

    pub fn say(&self, line: &str) {
        if !self.json {
            println!("- {line}");
        }
    }

    /// One look at the operation.
    pub fn progress(&self, operation: &Value) {
        let pct = operation
            .get("progress")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        let status = operation
            .get("status")
            .and_then(Value::as_str)
            .unwrap_or_default();
        self.bar.set_position(pct);
        self.bar.set_message(status.to_owned());
    }

    /// The recovered servers, as the cloud has them.
    pub fn servers(&self, truth: &GroundTruth) {
        self.bar.finish();
        let ours = |s: &&Server| s.metadata.contains_key(METADATA_KEY) && s.vm_state != "deleted";
        for server in truth.servers.iter().filter(ours) {
            let (id, name, state) = (&server.id, &server.name, server.vm_state.to_uppercase());
            let (disks, nics) = (server.disks.len(), server.nics.len());
            self.say(&format!(
                "{name:<12} {id}  {state:<7} {disks} volumes, {nics} ports"
            ));
        }
    }

    /// # Errors
    /// It has no JSON form.
    pub fn summary(&self, summary: &Summary) -> Result<()> {
        if self.json {
            println!("{}", serde_json::to_string_pretty(summary)?);
            return Ok(());
        }
        let Summary {
            members, volumes, ..
        } = summary;
        println!();
        for leg in &summary.legs {
            let (what, status, outcome) = (&leg.what, &leg.status, &leg.outcome);
            let (took_s, calls) = (leg.took_s, leg.calls);
            println!("  {what:<19} {status}/{outcome}  {took_s:>5.1} s  {calls:>4} calls");
        }
        println!();
        println!("  recovered   {members} VMs, {volumes} volumes");
        println!("  RPO         {:.1} s", summary.rpo_s);
        println!("  RTO         {:.1} s", summary.rto_s);
        println!("  calls       {:.1} per VM", summary.calls_per_vm);
        match summary.violations.as_slice() {
            [] => println!("  the ground truth of clouds and arrays agrees"),
            violations => {
                println!("  the ground truth does not agree:");
                for violation in violations {
                    println!("    {violation}");
                }
            }
        }
        Ok(())
    }
}
