//! The last hop: from a prepared container to the planner, the runtime, and an exit code.

use crate::error::Error;
use crate::prepare::Launch;
use planner::{Planned, Request};

/// The steps that starting the container takes.
///
/// # Errors
/// The configuration asks for what the machine or cuddy cannot do.
pub fn plan(launch: &Launch) -> Result<Planned, Error> {
    let request = Request {
        config: &launch.prepared.config,
        facts: &launch.host,
        id: &launch.id,
        bundle: &launch.bundle,
        options: &launch.how,
    };
    planner::plan(&request).map_err(Error::Plan)
}

/// Runs the container in the foreground and gives its exit code.
///
/// # Errors
/// It could not be started.
pub fn run(launch: Launch) -> Result<u8, Error> {
    let _planned = plan(&launch)?;
    Err(Error::Start {
        name: launch.name,
        cause: "the runtime is not joined to the engine yet".to_owned(),
        hints: vec!["`cuddy explain run` shows the steps".to_owned()],
        code: 125,
    })
}
