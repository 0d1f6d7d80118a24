//! What those that decide read, and what facts touch: two facts depend on each other where anything reads both.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an expression has some fifty kinds: these are the ones that read"
)]

use model::Fact;
use std::collections::BTreeSet;
use workflow::Program;
use workflow::program::{
    Definition, Expr, ExprKind, FieldType, ForEach, ListKind, Source, Start, Until, Verb, Window,
    Workflow,
};

/// Something that facts touch and conditions read: of what, and its name; without a name whether there is one.
pub(super) type Atom = (&'static str, Box<str>);

/// What each of those that decide reads.
pub(super) struct Readers(Vec<BTreeSet<Atom>>);

struct Gather<'p> {
    program: &'p Program,
    read: BTreeSet<Atom>,
    seen: BTreeSet<Definition>,
}

impl<'p> Gather<'p> {
    fn new(program: &'p Program) -> Self {
        Self {
            program,
            read: BTreeSet::new(),
            seen: BTreeSet::new(),
        }
    }

    fn add(&mut self, of: &'static str, name: &str) {
        self.read.insert((of, name.into()));
    }

    fn event(&mut self, kind: &str) {
        self.add("event", kind);
        match kind {
            "risk.opened" | "risk.closed" => self.risks(),
            "health.changed" => self.definition(Definition::Health),
            "stage.changed" => self.stage(),
            _ => {}
        }
    }

    fn risks(&mut self) {
        for risk in 0..self.program.risks.len() {
            self.definition(Definition::Risk(risk));
        }
    }

    fn stage(&mut self) {
        let mut labels = self.program.labels.iter();
        if let Some(index) = labels.position(|label| &*label.name == "stage") {
            self.definition(Definition::Label(index));
        }
    }

    fn definition(&mut self, definition: Definition) {
        if !self.seen.insert(definition) {
            return;
        }
        let program = self.program;
        match definition {
            Definition::Metric(index) => match &program.metrics[index].source {
                Source::Formula(formula) => self.expr(formula),
                Source::Events(aggregate) => {
                    self.event(&aggregate.event);
                    aggregate.condition.iter().for_each(|one| self.expr(one));
                    if let Window::Since(date) = &aggregate.window {
                        self.expr(date);
                    }
                }
            },
            Definition::Segment(index) => self.expr(&program.segments[index].condition),
            Definition::Label(index) => {
                let lines = program.labels[index].lines.iter();
                lines.for_each(|(_, line)| line.iter().for_each(|one| self.expr(one)));
            }
            Definition::Health => {
                if let Some(health) = &program.health {
                    for side in [&health.outcome, &health.experience] {
                        for measure in &side.measures {
                            let all = [&measure.value, &measure.green, &measure.yellow];
                            all.into_iter().for_each(|one| self.expr(one));
                        }
                    }
                    health.red_if.iter().for_each(|one| self.expr(one));
                }
            }
            Definition::Risk(index) => {
                let risk = &program.risks[index];
                let all = [&risk.opens, &risk.closes].into_iter();
                all.chain(&risk.high_if).for_each(|one| self.expr(one));
            }
        }
    }

    fn contact(&mut self, field: &str) {
        self.add("contact", "");
        self.add("contact", field);
    }

    fn contract(&mut self, field: &str) {
        // Which one is the current contract hangs on these.
        ["", "status", "renewal_date", field]
            .into_iter()
            .for_each(|one| self.add("contract", one));
    }

    fn expr(&mut self, expr: &Expr) {
        let program = self.program;
        for definition in expr.definitions(program.risks.len()) {
            self.definition(definition);
        }
        expr.each(&mut |part| match &part.kind {
            ExprKind::Account(field) => self.add("account", field),
            ExprKind::Contract(field) => self.contract(field),
            ExprKind::Contact(field)
            | ExprKind::EventContact { of: field, .. }
            | ExprKind::StartedByContact { of: field, .. } => self.contact(field),
            ExprKind::RoleField { field, .. } => {
                self.contact("role");
                self.contact(field);
            }
            ExprKind::Role(_) | ExprKind::ThisContact | ExprKind::List(ListKind::Contacts) => {
                self.contact("role");
            }
            ExprKind::Risk(_) => self.risks(),
            _ => {}
        });
    }

    fn workflow(&mut self, workflow: &Workflow) {
        match workflow.for_each {
            ForEach::Account => {}
            ForEach::Contract => self.contract(""),
            ForEach::Contact => self.contact("role"),
            ForEach::Risk => self.risks(),
        }
        if let Start::Event { events, .. } = &workflow.start {
            events.iter().for_each(|event| self.event(event));
        }
        for step in workflow.all_steps() {
            if let Verb::WaitFor {
                until: Until::Event { events, .. },
                ..
            } = &step.verb
            {
                events.iter().for_each(|event| self.event(event));
            }
        }
        let all = workflow.expressions().into_iter();
        all.for_each(|one| self.expr(one));
    }
}

impl Readers {
    /// What each of those that decide in a program reads.
    pub(super) fn of(program: &Program) -> Self {
        let by = |gather: &dyn Fn(&mut Gather<'_>)| {
            let mut all = Gather::new(program);
            gather(&mut all);
            all.read
        };
        let mut readers: Vec<BTreeSet<Atom>> = Vec::new();
        let workflows = program.workflows.iter();
        readers.extend(workflows.map(|one| by(&|all| all.workflow(one))));
        let risks = 0..program.risks.len();
        readers.extend(risks.map(|risk| by(&|all| all.definition(Definition::Risk(risk)))));
        readers.push(by(&|all| all.definition(Definition::Health)));
        readers.push(by(&|all| all.stage()));
        Self(readers)
    }

    /// Whether two facts depend on each other.
    pub(super) fn tie(&self, one: &BTreeSet<Atom>, other: &BTreeSet<Atom>) -> bool {
        let reads = |reader: &BTreeSet<Atom>, touched: &BTreeSet<Atom>| {
            reader.intersection(touched).next().is_some()
        };
        reads(one, other)
            || self
                .0
                .iter()
                .any(|reader| reads(reader, one) && reads(reader, other))
    }
}

/// What a fact touches; none: what all of a workspace leans on (zones, languages, addresses, who looks after the account).
pub(super) fn touched(program: &Program, fact: &Fact) -> Option<BTreeSet<Atom>> {
    let schema = &program.schema;
    let (of, fields) = match &*fact.kind {
        "account.updated" => ("account", &schema.account.fields),
        "contract.updated" => ("contract", &schema.contract.fields),
        "contact.updated" => ("contact", &schema.contact.fields),
        kind => ("event", &schema.events.get(kind)?.fields),
    };
    let mut all = BTreeSet::new();
    match of {
        "event" => all.insert((of, fact.kind.clone())),
        // An account that is told of is there.
        "account" => false,
        // A patch may bring back what was deleted.
        _ => all.insert((of, "".into())),
    };
    for key in fact.data.keys() {
        match fields.get(&**key).map(|field| &field.kind) {
            Some(FieldType::Contact) if of == "event" => {
                // Whom it names is looked up when it is taken in.
                all.insert(("contact", "".into()));
            }
            Some(FieldType::Timezone | FieldType::Locale | FieldType::Email | FieldType::Csm)
                if of != "event" =>
            {
                return None;
            }
            Some(_) | None if of != "event" => {
                all.insert((of, key.as_str().into()));
            }
            Some(_) | None => {}
        }
    }
    Some(all)
}
