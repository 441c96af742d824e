//! `aloud webhook test`: tells webhooks something that has not happened, to see whether it arrives and
//! whether its signature is believed there. It opens no library, and what is owed is left alone.

use std::io::Write;
use std::process::ExitCode;

use serde_json::json;

use crate::settings::{Settings, Webhook};
use crate::text::printable;
use crate::webhook::{Mailer, Message};

/// Arguments of `aloud webhook`.
#[derive(Debug, clap::Args)]
pub(super) struct WebhookArgs {
    #[command(subcommand)]
    command: WebhookCommand,
}

#[derive(Debug, clap::Subcommand)]
enum WebhookCommand {
    /// Send a signed `webhook.test`, and say what was answered; exit code 1 if one was not taken
    Test {
        /// The webhook's name or address; none is all of them
        #[arg(value_name = "WEBHOOK")]
        name: Option<String>,
    },
}

pub(super) fn run(
    args: &WebhookArgs,
    settings: &Settings,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let WebhookCommand::Test { name } = &args.command;
    let is_meant = |webhook: &&Webhook| {
        name.as_ref()
            .is_none_or(|it| [&*webhook.name, &*webhook.url, webhook.address()].contains(&&**it))
    };
    let webhooks: Vec<&Webhook> = settings.webhooks.iter().filter(is_meant).collect();
    if webhooks.is_empty() {
        let file = settings.paths.config_file();
        let file = file.display();
        match name {
            Some(name) => anyhow::bail!("{file} has no webhook {}", printable(name)),
            None => anyhow::bail!("{file} has no [[webhooks]]"),
        }
    }
    let mut is_well = true;
    for webhook in webhooks {
        let mailer = Mailer::new(webhook)?;
        let (is_taken, said) = match smol::block_on(test(&mailer)) {
            Ok(status) => (status.is_success(), status.to_string()),
            Err(error) => (false, error.to_string()),
        };
        is_well &= is_taken;
        let address = printable(webhook.address());
        writeln!(out, "{address}: {}", printable(&said))?;
    }
    Ok(match is_well {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

async fn test(mailer: &Mailer) -> Result<hyper::StatusCode, crate::webhook::SendError> {
    let now = jiff::Timestamp::now();
    let body = json!({
        "type": "webhook.test",
        "timestamp": format!("{now:.3}"),
        "data": { "message": "nothing has happened: this is a test" },
    });
    let id = format!("msg_{}", uuid::Uuid::new_v4().simple());
    let message = Message {
        id: &id,
        body: &body.to_string(),
        trace: None,
    };
    Ok(mailer.send(&message).await?.status)
}
