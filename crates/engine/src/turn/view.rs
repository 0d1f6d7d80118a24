//! The frozen view: exactly what a template reads, so that the sender needs no engine.

use super::Turn;
use super::place::Place;
use super::record::Spot;
use crate::evaluate::{Carrier, Knowledge, Scene};
use model::Value;
use serde_json::{Map, Value as Json};
use workflow::program::{Read, Type};

/// The most items of a list that a template gets.
const ITEMS_MAX: usize = 200;

/// Which text of a template was chosen.
pub(super) struct Said {
    pub(super) locale: Box<str>,
    pub(super) hash: Box<str>,
}

impl Turn<'_, '_> {
    /// The text of a template for a contact, or for a colleague: contact's locale, else the account's, else the default.
    pub(super) fn said(&self, template: &str, contact: Option<&str>) -> Said {
        let known = self.known();
        let default = &*self.context.program.defaults.locale;
        let of_contact = contact.and_then(|id| known.field(Carrier::Contact(id), "locale"));
        let of_account = contact.and_then(|_| known.field(Carrier::Account, "locale"));
        let wanted = [
            of_contact.and_then(Value::text),
            of_account.and_then(Value::text),
            Some(default),
        ];
        let texts = self
            .context
            .program
            .templates
            .get(template)
            .map(|template| &template.texts);
        let chosen = texts.and_then(|texts| {
            let has = |locale: &&str| texts.contains_key(*locale);
            let fallback = |locale: &'_ str| locale.split('-').next().map(str::to_owned);
            wanted
                .into_iter()
                .flatten()
                .find_map(|locale| {
                    let exact = Some(locale).filter(has).map(str::to_owned);
                    exact.or_else(|| {
                        fallback(locale).filter(|language| texts.contains_key(language.as_str()))
                    })
                })
                .or_else(|| texts.keys().next().map(ToString::to_string))
        });
        let hash = chosen
            .as_deref()
            .and_then(|locale| texts?.get(locale))
            .map_or_else(|| "".into(), |text| text.hash.clone());
        Said {
            locale: chosen.map_or_else(|| default.into(), String::into_boxed_str),
            hash,
        }
    }

    /// What a step's template reads, at a place; unknown is null.
    pub(super) fn view(&self, spot: Spot<'_>, place: Place<'_>) -> Json {
        let mut view = self.own_view();
        let Some(step) = self.find_step(spot.workflow, spot.step) else {
            return Json::Object(view);
        };
        self.look(place, |scene| {
            for read in &step.reads {
                put(&mut view, &read.path, shown(scene, read));
            }
        });
        Json::Object(view)
    }

    /// The same for colleagues, who are told by name whom it is about, whatever the template reads.
    pub(super) fn named(&self, mut view: Json) -> Json {
        let known = self.known();
        let name = known.field(Carrier::Account, "name").and_then(Value::text);
        let own = view.get_mut("_").and_then(Json::as_object_mut);
        if let (Some(name), Some(own)) = (name, own) {
            own.insert("account".to_owned(), name.into());
        }
        view
    }

    /// The view of a message without a template.
    pub(super) fn empty_view(&self) -> Json {
        Json::Object(self.own_view())
    }

    /// `_`: what the helpers need.
    fn own_view(&self) -> Map<String, Json> {
        let zone = self.zone.iana_name().unwrap_or("UTC");
        let mut own = Map::new();
        own.insert("at".to_owned(), self.now.to_string().into());
        own.insert("timezone".to_owned(), zone.into());
        own.insert(
            "currency".to_owned(),
            (&*self.context.program.defaults.currency).into(),
        );
        let mut view = Map::new();
        view.insert("_".to_owned(), Json::Object(own));
        view
    }
}

/// What stands for a variable in the view: a list is one of what is read of its items; unknown is null.
fn shown(scene: &Scene<'_>, read: &Read) -> Json {
    if !matches!(read.value.ty, Type::List(_)) {
        let value = scene.value(&read.value);
        return value.map_or(Json::Null, |value| value.to_json());
    }
    let items = scene.items(&read.value).into_iter().take(ITEMS_MAX);
    let each = items.map(|item| {
        let scene = scene.with_item(item);
        let mut view = Map::new();
        for read in &read.items {
            put(&mut view, &read.path, shown(&scene, read));
        }
        Json::Object(view)
    });
    Json::Array(each.collect())
}

/// Puts a value under a path; what is in the way of a longer path gives way.
fn put(view: &mut Map<String, Json>, path: &[Box<str>], value: Json) {
    match path {
        [] => {}
        [last] => {
            if !matches!(view.get(&**last), Some(Json::Object(_))) || !value.is_null() {
                view.insert(last.to_string(), value);
            }
        }
        [first, rest @ ..] => {
            let below = view
                .entry(first.to_string())
                .or_insert_with(|| Json::Object(Map::new()));
            if !below.is_object() {
                *below = Json::Object(Map::new());
            }
            if let Json::Object(below) = below {
                put(below, rest, value);
            }
        }
    }
}
