//! The engine under smol: events are awaited, and what blocks is kept off the executor.
//!
//!     cargo run --example engine_smol

use aloud::engine::{Engine, Event, Options, ShutdownWait, TaskState, Work};
use serde_json::json;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    smol::block_on(async {
        let folder = tempfile::tempdir()?;
        let options = Options::new(folder.path());
        let engine = smol::unblock(move || Engine::open(options)).await?;
        let events = engine.subscribe();
        let id = engine.submit_task(Work::closure("answer", |_| Ok(json!(42))), None)?;
        loop {
            let event = events.recv().await?;
            println!("{}", serde_json::to_string(&event)?);
            if matches!(event, Event::Ended { .. }) {
                break;
            }
        }
        let status = engine.task_status(&id).ok_or("the task is known")?;
        assert_eq!(status.state, TaskState::Completed);
        let report = smol::unblock(move || engine.shutdown(ShutdownWait::Now)).await;
        println!("{report:?}");
        Ok(())
    })
}
