//! Test cleanup (TF-04): what a drill made is taken back, server first, array copies last, by the
//! drill's own steps and keys. What a real failover made meanwhile has other keys (I10).

use crate::effect::{Effect, EffectKind, EffectState};
use crate::ids::OperationId;
use crate::operation::{Operation, OperationKind};
use crate::plan::{Lane, OnMemberFailure, PLAN_SCHEMA, Plan, Stage, Step};
use crate::saga::Journal;
use crate::sync::Epoch;

/// True while something of the operation stands that a cleanup would take away.
pub fn leaves_something(effects: &[Effect]) -> bool {
    let stands = |state| matches!(state, EffectState::Done | EffectState::LeftBehind);
    effects
        .iter()
        .any(|e| e.kind != EffectKind::None && stands(e.state))
}

/// The plan that takes `drill` back.
pub fn cleanup_plan(
    operation: OperationId,
    drill: &Operation,
    journal: &Journal,
    fence: Epoch,
) -> Plan {
    let mut stages: Vec<Stage> = drill
        .plan
        .stages
        .iter()
        .rev()
        .map(|stage| Stage {
            name: format!("take_back_{}", stage.name),
            lanes: stage
                .lanes
                .iter()
                .map(|lane| taken_back(drill.id, lane, journal))
                .collect(),
        })
        .collect();
    for stage in &mut stages {
        stage.lanes.retain(|lane| !lane.steps.is_empty());
    }
    stages.retain(|stage| !stage.lanes.is_empty());
    Plan {
        schema: PLAN_SCHEMA,
        operation,
        kind: OperationKind::TestCleanup,
        fence,
        fence_after: fence,
        point: None,
        on_member_failure: OnMemberFailure::Continue,
        stages,
        warnings: Vec::new(),
        left_out: Vec::new(),
        ..drill.plan.clone()
    }
}

/// The lane's steps that made something, last first.
fn taken_back(of: OperationId, lane: &Lane, journal: &Journal) -> Lane {
    let made = |step: &&Step| {
        let targets = step.targets(of);
        targets
            .iter()
            .any(|t| t.kind != EffectKind::None && journal.contains_key(t.key.as_str()))
    };
    let steps = lane
        .steps
        .iter()
        .rev()
        .filter(made)
        .map(|step| Step::TakeBack {
            of,
            what: Box::new(step.clone()),
        });
    Lane {
        steps: steps.collect(),
        ..lane.clone()
    }
}
