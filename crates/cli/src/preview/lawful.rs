//! What is added to a mail that can be left, as its reader would see it: who writes, and how to stop it.

use crate::place::Place;
use model::message::Content;
use model::{Jurisdiction, Outgoing, Purpose};
use outreach::render::Footer;
use outreach::render::legal::{self, Legal};
use workflow::Program;

/// Where the link leads: nobody may leave by a preview.
const NOWHERE: &str = "https://public-url.invalid/u/preview";

/// The footer below the mail, if it gets one; its link goes into the view.
pub(super) fn footer(program: &Program, place: &Place, outgoing: &mut Outgoing) -> Option<Footer> {
    let is_promotional = match outgoing.purpose {
        Some(Purpose::Promotional) => true,
        Some(Purpose::Service) => false,
        Some(Purpose::Contractual) | None => return None,
    };
    let link = match base(place) {
        Some(base) => format!("{base}/u/preview"),
        None => NOWHERE.to_owned(),
    };
    if let Some(view) = outgoing.view.as_object_mut() {
        view.insert("unsubscribe_url".to_owned(), link.as_str().into());
    }
    let name = outgoing.topic.as_deref()?;
    let sender = program.sender.as_ref()?;
    Some(legal::footer(&Legal {
        jurisdiction: jurisdiction(place),
        name: &sender.name,
        postal_address: &sender.postal_address,
        contact: &sender.contact,
        topic: program.topic_title(name, locale(outgoing)),
        is_promotional,
        unsubscribe: &link,
        locale: locale(outgoing),
    }))
}

/// That of the settings; a preview needs none, nor the secrets that they may name.
fn jurisdiction(place: &Place) -> Jurisdiction {
    let settings = place.settings();
    settings.map_or(Jurisdiction::default(), |settings| settings.jurisdiction)
}

fn base(place: &Place) -> Option<Box<str>> {
    place.settings().ok()?.public_url
}

fn locale(outgoing: &Outgoing) -> &str {
    match &outgoing.content {
        Content::Template { locale, .. } | Content::Ask { locale, .. } => locale,
        Content::Text(_)
        | Content::Nobody { .. }
        | Content::Complained { .. }
        | Content::Task { .. }
        | Content::Webhook => "en",
    }
}
