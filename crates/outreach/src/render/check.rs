//! Walks a parsed template: refuses what is not of our language, and leads every printed value through `say`.

use super::say;
use super::scan::scan;
use super::templates::Fault;
use handlebars::Template;
use handlebars::template::TemplateMapping;
use handlebars::template::{HelperTemplate, Parameter, Subexpression, TemplateElement};

/// Compiles `source`; `is_body` asks for the rules of HTML as well.
pub(super) fn compile(source: &str, is_body: bool) -> Result<Template, Fault> {
    scan(source)?;
    let mut template =
        Template::compile(source).map_err(|error| Fault::Syntax(error.to_string()))?;
    let mut markup = Markup::default();
    walk(&mut template, is_body.then_some(&mut markup))?;
    Ok(template)
}

/// Where in HTML the text before an expression ends.
#[derive(Default)]
struct Markup {
    in_tag: bool,
    quote: Option<char>,
}

impl Markup {
    fn read(&mut self, text: &str) {
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if !self.in_tag {
                self.in_tag =
                    c == '<' && chars.peek().is_some_and(|next| next.is_ascii_alphabetic());
            } else if let Some(quote) = self.quote {
                if c == quote {
                    self.quote = None;
                }
            } else if matches!(c, '"' | '\'') {
                self.quote = Some(c);
            } else if c == '>' {
                self.in_tag = false;
            }
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the parser may gain elements; what is not known is refused"
)]
fn walk(template: &mut Template, mut markup: Option<&mut Markup>) -> Result<(), Fault> {
    for element in &mut template.elements {
        match element {
            TemplateElement::RawString(text) => {
                if let Some(markup) = markup.as_deref_mut() {
                    markup.read(text);
                }
            }
            TemplateElement::Comment(_) => {}
            TemplateElement::Expression(call) => {
                check_place(call, markup.as_deref())?;
                *element = printed(call)?;
            }
            TemplateElement::HelperBlock(block) => walk_block(block, markup.as_deref_mut())?,
            TemplateElement::HtmlExpression(_) => return Err(Fault::RawOutput),
            TemplateElement::PartialExpression(_) | TemplateElement::PartialBlock(_) => {
                return Err(Fault::Partial);
            }
            _ => return Err(Fault::Decorator),
        }
    }
    Ok(())
}

/// Inside a tag only an address may stand, and only in quotes.
fn check_place(call: &HelperTemplate, markup: Option<&Markup>) -> Result<(), Fault> {
    let is_url = !call.params.is_empty() && call.name.as_name() == Some("url");
    match markup {
        Some(markup) if markup.in_tag && !(is_url && markup.quote.is_some()) => {
            Err(Fault::ValueInTag)
        }
        _ => Ok(()),
    }
}

/// `{{x}}` and `{{date x}}` as `{{say x}}` and `{{say (date x)}}`.
fn printed(call: &HelperTemplate) -> Result<TemplateElement, Fault> {
    let value = if call.params.is_empty() && call.hash.is_empty() {
        call.name.clone()
    } else {
        Parameter::Subexpression(Subexpression::new(
            call.name.clone(),
            call.params.clone(),
            call.hash.clone(),
        ))
    };
    check_value(&value)?;
    let name = Parameter::Name(say::SAY.to_owned());
    Ok(*Subexpression::new(name, vec![value], Default::default()).element)
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the parser may gain parameters; what is not known is refused"
)]
fn check_value(value: &Parameter) -> Result<(), Fault> {
    match value {
        Parameter::Literal(_) => Ok(()),
        Parameter::Path(_) | Parameter::Name(_) => {
            let raw = value.as_name().unwrap_or_default();
            let is_forbidden = raw.contains("@root") || raw == "_" || raw.starts_with("_.");
            if is_forbidden {
                Err(Fault::Forbidden(raw.to_owned()))
            } else {
                Ok(())
            }
        }
        Parameter::Subexpression(call) => match call.as_element() {
            TemplateElement::Expression(call) => check_call(call),
            _ => Err(Fault::UnknownHelper(String::new())),
        },
        _ => Err(Fault::UnknownHelper(String::new())),
    }
}

fn check_call(call: &HelperTemplate) -> Result<(), Fault> {
    let name = call.name.as_name().unwrap_or_default();
    if !say::HELPERS.contains(&name) {
        return Err(Fault::UnknownHelper(name.to_owned()));
    }
    if !call.hash.is_empty() {
        return Err(Fault::NamedArgument(name.to_owned()));
    }
    call.params.iter().try_for_each(check_value)
}

fn walk_block(block: &mut HelperTemplate, mut markup: Option<&mut Markup>) -> Result<(), Fault> {
    let name = block.name.as_name().unwrap_or_default().to_owned();
    if !["if", "unless", "each", "with"].contains(&name.as_str()) {
        return Err(Fault::UnknownBlock(name));
    }
    if !block.hash.is_empty() {
        return Err(Fault::NamedArgument(name));
    }
    block.params.iter().try_for_each(check_value)?;
    if let Some(inner) = &mut block.template {
        walk(inner, markup.as_deref_mut())?;
        if name == "each" {
            count_rounds(inner);
        }
    }
    block
        .inverse
        .as_mut()
        .map_or(Ok(()), |inner| walk(inner, markup))
}

/// Each round of a loop writes once, so that even an empty body is counted.
fn count_rounds(template: &mut Template) {
    let name = Parameter::Name(say::TICK.to_owned());
    let tick = Subexpression::new(
        name,
        vec![Parameter::Literal(true.into())],
        Default::default(),
    );
    let place = template.mapping.first().cloned();
    template.elements.insert(0, *tick.element);
    if let Some(place) = place {
        template.mapping.insert(0, TemplateMapping::clone(&place));
    }
}
