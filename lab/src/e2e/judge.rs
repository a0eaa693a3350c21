//! What must hold after each leg, judged from what the clouds and arrays say of themselves.
//!
//! Pure. Absent: looking (`portrait`, `array`).

use super::portrait::{Look, Vm};
use serde_json::Value;

/// What is not as it has to be; empty: all is well.
pub(super) type Wrong = Vec<String>;

/// The group runs at `there`, once, just as it was in `before`.
pub(super) fn runs(before: &Look, there: &Look, also: &Look) -> Wrong {
    let mut wrong = counted(before, there, also);
    for vm in &before.vms {
        let found: Vec<&Vm> = there.vms.iter().filter(|v| v.name == vm.name).collect();
        match found.as_slice() {
            [one] => wrong.extend(same(vm, one)),
            many => wrong.push(format!("{} is there {} times (S2)", vm.name, many.len())),
        }
    }
    wrong
}

/// No object too many: what is `there` is the group's and what was there `also`.
fn counted(before: &Look, there: &Look, also: &Look) -> Wrong {
    let numbers = [
        ("servers", before.vms.len(), there.vms.len(), also.vms.len()),
        ("volumes", before.volumes, there.volumes, also.volumes),
        ("ports", before.ports, there.ports, also.ports),
    ];
    let differs = |(_, group, all, also): &(&str, usize, usize, usize)| group + also != *all;
    let told = |(what, group, all, also)| {
        format!("{all} {what}, expected {group} of the group and {also} that were there (S3)")
    };
    numbers.into_iter().filter(differs).map(told).collect()
}

fn same(was: &Vm, is: &Vm) -> Wrong {
    let mut wrong = Vec::new();
    if is.status != "ACTIVE" {
        wrong.push(format!("{} is {}", is.name, is.status));
    }
    if is.locked {
        wrong.push(format!("{} is locked", is.name));
    }
    if was.portrait != is.portrait {
        let (name, was, is) = (&was.name, &was.portrait, &is.portrait);
        wrong.push(format!("{name} was {was:?} and is {is:?} (FO-05)"));
    }
    wrong
}

/// A plan away from home names what cannot come along: one server has a floating IP (FO-05).
pub(super) fn tells_of_what_stays(plan: &Value) -> Wrong {
    let warnings = plan.pointer("/plan/warnings").and_then(Value::as_array);
    let codes = warnings.into_iter().flatten();
    let mut codes = codes.filter_map(|one| one.pointer("/refusal/code")?.as_str());
    if codes.any(|code| code == "floating_ip_dropped") {
        return Vec::new();
    }
    vec!["the plan does not tell of the floating IP that stays (FO-05)".to_owned()]
}

/// The source servers stand still, locked, and none takes its volumes with it (FO-07).
pub(super) fn stands_still(before: &Look, now: &Look) -> Wrong {
    let mut wrong = Vec::new();
    for vm in &before.vms {
        let Some(found) = now.vms.iter().find(|v| v.id == vm.id) else {
            wrong.push(format!("{} is gone at its source (S1)", vm.name));
            continue;
        };
        if found.status != "SHUTOFF" || !found.locked || found.deletes_volumes {
            let (status, locked, dies) = (&found.status, found.locked, found.deletes_volumes);
            wrong.push(format!(
                "source {} is {status}, locked {locked}, deletes volumes {dies}",
                vm.name
            ));
        }
    }
    if now.volumes != before.volumes || now.ports != before.ports {
        wrong.push(format!(
            "the source has {} volumes and {} ports, had {} and {}",
            now.volumes, now.ports, before.volumes, before.ports
        ));
    }
    wrong
}

/// The very servers of `before` run again where they were; one without an id has been deleted there, and another
/// has its name.
pub(super) fn is_home(before: &Look, now: &Look) -> Wrong {
    let mut wrong = Vec::new();
    for vm in &before.vms {
        let is_it = |v: &&Vm| v.id == vm.id || (vm.id.is_empty() && v.name == vm.name);
        match now.vms.iter().find(is_it) {
            Some(found) => {
                wrong.extend(same(vm, found));
                if found.deletes_volumes != vm.deletes_volumes {
                    let dies = vm.deletes_volumes;
                    wrong.push(format!(
                        "{}: its volumes go with it: not {dies} (FO-05)",
                        vm.name
                    ));
                }
            }
            None => wrong.push(format!("{} is gone (S1)", vm.name)),
        }
    }
    wrong.extend(counted(before, now, &Look::default()));
    wrong
}

/// A site is as it was.
pub(super) fn untouched(before: &Look, now: &Look) -> Wrong {
    counted(before, now, &Look::default())
}
