//! Every row of the table, written by a start, read back, changed by an update, and read back again.

use crate::scratch::{Outcome, Scratch, layout};
use crate::skipped;
use cgroup::live::Cgroup;
use cgroup::table::{Row, rows};
use libtest_mimic::Trial;
use spec::{BlockIo, Resources, WeightDevice};
use std::fs;
use testbed::LoopDevice;
use testbed::limits::{self, KERNELS_CHOICE, UNIFIED, WEIGHTS, samples};

pub fn trials() -> Vec<Trial> {
    let mut trials: Vec<_> = rows().map(trial).collect();
    trials.extend(UNIFIED.iter().map(unified));
    trials
}

fn trial(row: &'static Row) -> Trial {
    let name = format!("setting::{}", row.name.replace(' ', "_"));
    if row.name == WEIGHTS {
        return of_loop_device(&name);
    }
    match prepared(row) {
        Ok(samples) => {
            Trial::test(name, move || Ok(written_and_changed(samples).map_err(|e| e.to_string())?))
        }
        Err(reason) => skipped(&name, reason),
    }
}

/// Two values of a setting, if this machine has it.
fn prepared(row: &Row) -> Result<[Resources; 2], String> {
    let samples = samples(row.name)?;
    let layout = layout().map_err(|e| e.to_string())?;
    let id = "unused".parse().map_err(|_| "no id")?;
    cgroup::group(&samples[0], &layout, Some("/unused"), &id).map_err(|e| e.to_string())?;
    if !KERNELS_CHOICE.contains(&row.name) {
        return Ok(samples);
    }
    let bare = Scratch::new(&Resources::default()).map_err(|e| e.to_string())?;
    let places = row.v1.iter().chain(&row.v2).flat_map(|place| [Some(place), place.fallback]).flatten();
    let files: Vec<_> = places.map(|place| place.file).collect();
    let exists = |file: &&str| bare.group.directories.iter().any(|directory| directory.join(file).exists());
    if files.iter().any(exists) {
        Ok(samples)
    } else {
        Err(format!("this kernel has no {}", files.join(", ")))
    }
}

/// The weight of a disk takes a disk that is scheduled by weight: a loop device can be.
fn of_loop_device(name: &str) -> Trial {
    let scheduler = fs::read_to_string("/sys/block/loop0/queue/scheduler").unwrap_or_default();
    let bfq = scheduler.split(' ').any(|name| name.trim_matches(['[', ']', '\n']) == "bfq");
    if !bfq {
        return skipped(name, "this kernel has no loop device with the BFQ scheduler".to_owned());
    }
    Trial::test(name, || {
        let disk = LoopDevice::new(1 << 20);
        if !disk.schedule_by("bfq") {
            return Err("the disk cannot be scheduled by BFQ".into());
        }
        let (major, minor) = (disk.number().0.into(), disk.number().1.into());
        let samples = [10, 1000].map(|weight| Resources {
            block_io: Some(BlockIo {
                weight_device: vec![WeightDevice { major, minor, weight: Some(weight), leaf_weight: None }],
                ..BlockIo::default()
            }),
            ..Resources::default()
        });
        Ok(written_and_changed(samples).map_err(|e| e.to_string())?)
    })
}

fn written_and_changed([first, second]: [Resources; 2]) -> Outcome {
    let scratch = Scratch::new(&first)?;
    let group = scratch.open()?;
    holds(&group, &first)?;
    group.update(&second)?;
    holds(&group, &second)?;
    group.update(&first)?;
    holds(&group, &first)
}

fn holds(group: &Cgroup, resources: &Resources) -> Outcome {
    match group.differences(resources)?.as_slice() {
        [] => Ok(()),
        differences => Err(format!("{differences:#?}").into()),
    }
}

/// A raw file of v2.
fn unified(sample: &'static (&str, &str, &str)) -> Trial {
    let (file, first, second) = *sample;
    let name = format!("setting::unified_{file}");
    match prepared_raw(file, first, second) {
        Ok(samples) => {
            Trial::test(name, move || Ok(written_and_changed(samples).map_err(|e| e.to_string())?))
        }
        Err(reason) => skipped(&name, reason),
    }
}

fn prepared_raw(file: &str, first: &str, second: &str) -> Result<[Resources; 2], String> {
    let samples = limits::unified(file, [first, second]);
    let id = "unused".parse().map_err(|_| "no id")?;
    let layout = layout().map_err(|e| e.to_string())?;
    let group = cgroup::group(&samples[0], &layout, Some("/unused"), &id).map_err(|e| e.to_string())?;
    // What enables the controller has to be written before it can be seen whether the kernel has the file.
    let enable =
        Resources { unified: [("cgroup.max.depth".into(), "2".into())].into(), ..Resources::default() };
    let bare =
        Scratch::with(&enable, group.settings.iter().filter(|s| s.file.ends_with("cgroup.subtree_control")));
    let bare = bare.map_err(|e| e.to_string())?;
    let exists = bare.group.directories.iter().any(|directory| directory.join(file).exists());
    exists.then_some(samples).ok_or_else(|| format!("this kernel has no {file}"))
}
