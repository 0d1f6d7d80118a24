//! A preview: a step's message as it would be put into the outbox now, with the source of each value.

use super::Turn;
use super::begin::new_run;
use super::place::Place;
use super::record::Spot;
use crate::evaluate::Reading;
use crate::preview::{Preview, template_of};
use model::message::Content;
use model::{Channel, Mailbox, MessageId, Outgoing, RunId, Value};
use workflow::program::{Source, Step, Verb, Workflow};

impl<'a> Turn<'a, '_> {
    /// The metrics that read events, as far as they are known; of what is only *at least* so much, that.
    pub(crate) fn counted(&self) -> Vec<(Box<str>, Value)> {
        let metrics = self.context.program.metrics.iter().enumerate();
        let of_events = metrics.filter(|(_, metric)| matches!(metric.source, Source::Events(_)));
        let known = of_events.filter_map(|(index, metric)| {
            let reading = self.look(Place::default(), |scene| scene.metric(index));
            let value = match reading {
                Reading::Known(value) => value,
                Reading::AtLeast(count) => Value::Number(count),
                Reading::Unseen | Reading::Unknown => return None,
            };
            Some((metric.name.clone(), value))
        });
        known.collect()
    }

    /// What a step would say now.
    pub(crate) fn preview(
        mut self,
        workflow: &'a Workflow,
        step: &Step,
        locale: Option<&str>,
    ) -> Option<Preview> {
        let template = template_of(step)?;
        let index = self.passage(workflow)?;
        let run = self.run(workflow, index);
        let to = if let Verb::Send { to, .. } = &step.verb {
            self.recipients(workflow, run, to).into_iter().next()
        } else {
            None
        };
        let contact = to.as_ref().map(|recipient| recipient.contact.clone());
        let spot = Spot {
            workflow,
            run: index,
            step: &step.id,
        };
        let place = Place::run(workflow, run);
        let place = contact
            .as_deref()
            .map_or(place, |contact| place.to(contact));
        let said = self.said(template, contact.as_deref());
        let texts = &self.context.program.templates.get(template)?.texts;
        let (locale, hash) = match locale {
            Some(wanted) => (wanted.into(), texts.get(wanted)?.hash.clone()),
            None => (said.locale, said.hash),
        };
        let reads = step.reads.iter();
        let reads = reads
            .map(|read| {
                (
                    read.path.join(".").into(),
                    self.tree(workflow, place, &read.value),
                )
            })
            .collect();
        let outgoing = Outgoing {
            message: MessageId::of(&["preview"]),
            account: self.account.id.clone(),
            workflow: workflow.name.clone(),
            subject: run.subject.clone(),
            run: run.id.clone(),
            step: step.id.clone(),
            channel: self.preview_channel(step, to.map(|recipient| recipient.mailbox)),
            content: Content::Template {
                name: template.into(),
                locale,
                hash,
            },
            view: self.view(spot, place),
            topic: None,
            purpose: None,
            resends_unknown: false,
            not_before: self.now,
            expires_at: None,
            priority: workflow.priority,
            is_shadow: false,
        };
        Some(Preview {
            workflow: workflow.name.clone(),
            step: step.id.clone(),
            contact,
            outgoing,
            reads,
        })
    }

    /// A run in which the step could stand: the newest that is kept, else one that begins now.
    fn passage(&mut self, workflow: &Workflow) -> Option<usize> {
        let kept = self.account.head.workflows.get(&workflow.name);
        if let Some(last) = kept.and_then(|state| state.runs.len().checked_sub(1)) {
            return Some(last);
        }
        let subject = self.subjects(workflow.for_each).into_iter().next()?;
        let place = Place::subject(workflow, &subject);
        let remembered = workflow.remember.iter();
        let remembered = remembered
            .map(|(name, expr)| (name.clone(), self.look(place, |scene| scene.value(expr))))
            .collect();
        let run = new_run(RunId::of(&["preview"]), &subject, self.now, remembered);
        let state = self.account.head.workflows.or_default(&workflow.name);
        state.runs.push(run);
        Some(0)
    }

    fn preview_channel(&self, step: &Step, to: Option<Mailbox>) -> Channel {
        if let Verb::Send { from, .. } = &step.verb {
            let default = self.context.program.defaults.from.clone();
            let nobody = || Mailbox {
                name: None,
                address: "nobody@localhost".into(),
            };
            return Channel::Email {
                to: to.unwrap_or_else(nobody),
                contact: "".into(),
                cc: Vec::new(),
                from: from.clone().or(default).unwrap_or_else(nobody),
                reply_to: None,
            };
        }
        Channel::Route {
            route: "preview".into(),
            targets: Vec::new(),
        }
    }
}
