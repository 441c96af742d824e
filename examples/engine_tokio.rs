//! The engine under tokio: events are awaited, and what blocks goes to its blocking threads.
//!
//!     cargo run --example engine_tokio

use aloud::engine::{Engine, Event, Options, ShutdownWait, TaskState, Work};
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let options = Options::new(folder.path());
    let engine = tokio::task::spawn_blocking(move || Engine::open(options)).await??;
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
    let stop = move || engine.shutdown(ShutdownWait::Now);
    println!("{:?}", tokio::task::spawn_blocking(stop).await?);
    Ok(())
}
