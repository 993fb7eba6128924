//! A shop of any store, with several connections to it: for tests that hold the stores against each other.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use oversell_sim::strategy::About;
use oversell_sim::unstable::attempt::{Failure, Missed};
use oversell_sim::unstable::control::Control;
use oversell_sim::unstable::op::{BuyerId, Op, OpKind, Order, Reply, Units};
use oversell_sim::unstable::settings::Settings;
use oversell_sim::unstable::stores::memory::{Memory, Versioned};
use oversell_sim::unstable::stores::model::{HeldResources, Model, Standing};
use oversell_sim::unstable::stores::remote::{Remote, Server};
use oversell_sim::unstable::stores::{Address, Client, LiveStore, RaceTarget};
use oversell_sim::{Error, StoreKind};

use crate::listed::miss_program;

/// The longest wait here.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// What is said over one of several connections, in one buyer's name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Say {
    pub(crate) connection: usize,
    pub(crate) buyer: BuyerId,
    pub(crate) op: Op,
}

/// What is left when all buyers have gone: stock, order lines (buyer, product, units), and units given back.
pub(crate) type Left = (Vec<Units>, Vec<(BuyerId, u8, Units)>, Vec<Units>);

/// A shop that one can talk to.
pub(crate) trait Counter {
    /// One op over one connection.
    fn say(&mut self, say: Say) -> Result<Reply, Missed>;
    /// Ends what one connection has begun; says how many locks it held.
    fn close_attempt(&mut self, connection: usize) -> u64;
}

/// Connections to a live store.
struct Live<C>([C; 3]);

impl<C: Client> Counter for Live<C> {
    fn say(&mut self, Say { connection, buyer, op }: Say) -> Result<Reply, Missed> {
        self.0[connection].attend(buyer);
        self.0[connection].call(op)
    }

    fn close_attempt(&mut self, connection: usize) -> u64 {
        self.0[connection].close_attempt()
    }
}

/// Connections to the model.
struct Modelled {
    model: Model,
    grips: [HeldResources; 3],
    standings: BTreeMap<BuyerId, Standing>,
}

impl Counter for Modelled {
    fn say(&mut self, Say { connection, buyer, op }: Say) -> Result<Reply, Missed> {
        let standing = self.standings.entry(buyer).or_default();
        // Who would wait for ever runs out of patience.
        let in_vain = Err(Missed::Failed(Failure::LockTimeout));
        self.model.apply(op, &mut self.grips[connection], standing).unwrap_or(in_vain)
    }

    fn close_attempt(&mut self, connection: usize) -> u64 {
        let grip = std::mem::take(&mut self.grips[connection]);
        for standing in self.standings.values_mut() {
            self.model.close(&grip, standing);
        }
        u64::from(grip.holds_any())
    }
}

/// Opens shops of one store, again and again.
pub(crate) struct Street {
    pub(crate) kind: Option<StoreKind>,
    venue: Option<RaceTarget>,
    settings: Settings,
}

/// The settings of a shop for conformance: two products.
pub(crate) fn settings(store: StoreKind) -> Settings {
    let mut settings =
        Settings { buyers: 8, items: 2, stock: 5, store, connections: 3, ..Settings::default() };
    settings.patience = PATIENCE;
    settings
}

impl Street {
    /// The model's.
    pub(crate) fn model(settings: Settings) -> Self {
        Self { kind: None, venue: None, settings }
    }

    /// A store's; none where its server is not installed. In CI that is a failure.
    pub(crate) fn of(settings: Settings) -> Option<Self> {
        let kind = settings.store;
        match RaceTarget::open(&settings, None, &Address::default(), &Control::default()) {
            Ok(venue) => Some(Self { kind: Some(kind), venue: Some(venue), settings }),
            Err(Error::World(why)) if is_missing(&why) => {
                miss_program(why.lines().next().unwrap());
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Whether the store offers an op of this kind.
    pub(crate) fn offers(&self, kind: OpKind) -> bool {
        self.kind.is_none_or(|store| store.offers(kind))
    }

    /// The server that serves it.
    pub(crate) fn server(&self) -> &dyn Server {
        match &self.venue {
            Some(RaceTarget::Backend(site)) => site.server(),
            _ => panic!("no queue worker serves it"),
        }
    }

    /// Opens a fresh shop for a checkout that needs ops like these, and says what is left in it. The server has
    /// nothing to complain of.
    pub(crate) fn visit(
        &self,
        needs: &'static [OpKind],
        work: impl FnOnce(&mut dyn Counter),
    ) -> Left {
        let (left, trouble) = self.visit_and_hear(needs, work);
        assert_eq!(trouble, None);
        left
    }

    /// The same where the server may complain.
    pub(crate) fn visit_in_trouble(
        &self,
        needs: &'static [OpKind],
        work: impl FnOnce(&mut dyn Counter),
    ) -> Left {
        self.visit_and_hear(needs, work).0
    }

    fn visit_and_hear(
        &self,
        needs: &'static [OpKind],
        work: impl FnOnce(&mut dyn Counter),
    ) -> (Left, Option<String>) {
        let Settings { items, stock, isolation, .. } = self.settings;
        let card = About::of_type::<Self>().needing(needs);
        match &self.venue {
            None => {
                let names = |kind| card.names(kind);
                let model = Model { isolation, ..Model::for_ops(items, stock, names) };
                let standings = BTreeMap::new();
                let mut shop = Modelled { model, grips: Default::default(), standings };
                work(&mut shop);
                let orders = shop.standings.iter().flat_map(|(buyer, standing)| {
                    standing.orders.iter().map(|want| Order { buyer: *buyer, want: *want })
                });
                let given_back = shop.model.shelves.iter().map(|shelf| shelf.given_back).collect();
                (left(shop.model.stocks(), orders.collect(), given_back), None)
            }
            Some(RaceTarget::Memory) => {
                static NEVER: AtomicBool = AtomicBool::new(false);
                let wait = Duration::from_millis(20);
                let memory = Memory::<Versioned>::open(items, stock, 3, wait, &NEVER);
                work(&mut Live([(); 3].map(|()| memory.connect())));
                let books = memory.books().unwrap();
                (left(books.shelves, books.orders, books.given_back), None)
            }
            Some(RaceTarget::Backend(site)) => {
                let shop = Remote::open(site, &self.settings, &card).unwrap();
                work(&mut Live([(); 3].map(|()| shop.connect())));
                let books = shop.books().unwrap();
                (left(books.shelves, books.orders, books.given_back), books.trouble)
            }
        }
    }
}

/// Whether a server's programs are not there.
fn is_missing(why: &str) -> bool {
    why.contains("is not installed")
}

fn left(shelves: Vec<Units>, orders: Vec<Order>, given_back: Vec<Units>) -> Left {
    let line = |order: Order| {
        order
            .want
            .items()
            .map(move |item| (order.buyer, item.0, order.want.qty))
            .collect::<Vec<_>>()
    };
    let mut lines: Vec<_> = orders.into_iter().flat_map(line).collect();
    lines.sort_unstable();
    (shelves, lines, given_back)
}

/// Processes of which this is true of command line and working directory: their numbers and command lines.
pub(crate) fn processes(is_meant: impl Fn(&str, &Path) -> bool) -> Vec<(String, String)> {
    let about = |entry: fs::DirEntry| {
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        let cwd = fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        is_meant(&line, &cwd).then(|| (entry.file_name().into_string().unwrap(), line))
    };
    fs::read_dir("/proc").unwrap().flatten().filter_map(about).collect()
}
