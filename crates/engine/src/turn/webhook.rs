//! Webhooks: a call of somebody else's server, put into the outbox with its body frozen.

use super::Turn;
use super::place::Place;
use super::record::Spot;
use super::steps::Progress;
use crate::run::{Fate, StepPhase};
use model::message::Content;
use model::{Channel, Kind, MessageId, Outgoing, Record};
use serde_json::{Map, Value as Json};
use workflow::program::{Expr, Status};

impl Turn<'_, '_> {
    /// A call: its body is read now, unknown is null.
    pub(super) fn webhook(
        &mut self,
        spot: Spot<'_>,
        name: &str,
        body: &[(Box<str>, Expr)],
    ) -> Progress {
        let run = self.run(spot.workflow, spot.run);
        let body = self.look(Place::run(spot.workflow, run), |scene| {
            let pair = |(key, value): &(Box<str>, Expr)| {
                let value = scene
                    .value(value)
                    .map_or(Json::Null, |value| value.to_json());
                (key.to_string(), value)
            };
            body.iter().map(pair).collect::<Map<_, _>>()
        });
        let message = MessageId::of(&[run.id.as_str(), spot.step, "0", name, "webhook"]);
        let outgoing = Outgoing {
            message: message.clone(),
            account: self.account.id.clone(),
            workflow: spot.workflow.name.clone(),
            subject: run.subject.clone(),
            run: run.id.clone(),
            step: spot.step.into(),
            channel: Channel::Webhook { name: name.into() },
            content: Content::Webhook,
            view: Json::Object(body),
            topic: None,
            purpose: None,
            resends_unknown: false,
            not_before: self.now,
            expires_at: None,
            priority: spot.workflow.priority,
            is_shadow: spot.workflow.status == Status::Shadow,
        };
        let record = Record {
            name: Some(name.into()),
            message: Some(message.clone()),
            ..self.step_record(Kind::Webhook, spot)
        };
        self.push(record);
        self.out.outbox.push(outgoing);
        self.keep_message(spot, name, Fate::Queued, Some(message));
        self.complete(spot, StepPhase::Acted)
    }
}
