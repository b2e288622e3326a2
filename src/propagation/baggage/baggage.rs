//! The baggage of a request.

use crate::context::Key;
use crate::propagation::baggage::member::Member;
use crate::propagation::header::BLANKS;
use crate::propagation::stats;
use crate::sync::Arc;

/// As many members as the text's first edition allows; today's asks for 64 at least.
const MOST_MEMBERS: usize = 180;
/// As many bytes as the text asks for at least.
const MOST_BYTES: usize = 8192;

/// Texts by name that travel with a request from process to process: the W3C header `baggage`.
///
/// In the Context under [`Baggage::key`] where the codec `baggage` is told to handle the key
/// `baggage`: then what comes in goes out again. Members that are keys of this process are told to
/// the builder one by one, and lie under keys of their own.
///
/// # Examples
///
/// ```
/// use kamon::propagation::{Baggage, Codecs};
/// use kamon::Key;
///
/// static TENANT: Key<Option<String>> = Key::broadcast_string("tenant");
///
/// let codecs = Codecs::builder()
///     .http_headers("tenant", ["baggage"])
///     .http_headers("baggage", ["baggage"])
///     .build();
/// let context = codecs.decode_headers(&[("baggage", "tenant=Am%C3%A9lie,shard=7")]);
/// assert_eq!(context.get(&TENANT).as_deref(), Some("Amélie"));
/// assert_eq!(context.get(Baggage::key()).get("shard"), Some("7"));
///
/// let mut headers = Vec::new();
/// codecs.encode_headers(&context, &mut headers);
/// assert_eq!(headers[0].1, "shard=7,tenant=Am%C3%A9lie");
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Baggage {
    members: Arc<Vec<Member>>,
}

static BAGGAGE: Key<Baggage> = Key::broadcast("baggage", Baggage::default);

impl Baggage {
    /// Returns the key under which the baggage lies in the Context.
    pub fn key() -> &'static Key<Baggage> {
        &BAGGAGE
    }

    /// Returns the value of the last member of this name.
    pub fn get(&self, key: &str) -> Option<&str> {
        let mut members = self.members.iter().rev();
        let member = members.find(|member| member.key == key)?;
        Some(&member.value)
    }

    /// Returns the names and values, in the order in which they are sent.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let members = self.members.iter();
        members.map(|member| (&*member.key, &*member.value))
    }

    /// Returns how many members there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Returns the baggage with one more member at its end, in place of those of its name.
    ///
    /// One whose name is no HTTP token is kept here and not sent.
    ///
    /// # Examples
    ///
    /// ```
    /// use kamon::propagation::Baggage;
    ///
    /// let baggage = Baggage::default().with("shard", "7").with("shard", "8");
    /// assert_eq!(baggage.iter().collect::<Vec<_>>(), [("shard", "8")]);
    /// ```
    #[must_use = "the baggage is returned, not changed in place"]
    pub fn with(&self, key: &str, value: &str) -> Baggage {
        let mut baggage = self.without(key);
        Arc::make_mut(&mut baggage.members).push(Member::new(key, value));
        baggage
    }

    /// Returns the baggage without the members of this name.
    #[must_use = "the baggage is returned, not changed in place"]
    pub fn without(&self, key: &str) -> Baggage {
        let members = self.members.iter().filter(|member| member.key != key);
        Baggage {
            members: Arc::new(members.cloned().collect()),
        }
    }

    /// Reads the headers of one request, which together are one list. A member that is malformed
    /// is left out, and so is all that comes after the limits are reached.
    pub(super) fn parse<'a>(headers: impl IntoIterator<Item = &'a str>) -> Baggage {
        let mut members = Vec::new();
        let mut bytes = 0;
        for member in headers.into_iter().flat_map(|header| header.split(',')) {
            bytes += member.len() + 1;
            if members.len() == MOST_MEMBERS || bytes > MOST_BYTES + 1 {
                break;
            }
            members.extend(Member::parse(member.trim_matches(BLANKS)));
        }
        Baggage {
            members: Arc::new(members),
        }
    }

    /// Writes the members that fit, whole ones only. For the last `own` of them, which this process
    /// has put there, others make room.
    pub(super) fn print(&self, own: usize) -> String {
        let members: Vec<_> = self.members.iter().filter_map(Member::print).collect();
        let others = members.len().saturating_sub(own);
        let mut fits = vec![false; members.len()];
        let mut count = 0;
        let mut bytes = 0;
        for place in (others..members.len()).chain(0..others) {
            let with_this = bytes + usize::from(count > 0) + members[place].len();
            if count < MOST_MEMBERS && with_this <= MOST_BYTES {
                (fits[place], bytes) = (true, with_this);
                count += 1;
            }
        }
        if count < members.len() {
            stats::too_large();
        }
        let mut header = String::with_capacity(bytes);
        for (member, _) in members.iter().zip(fits).filter(|(_, fits)| *fits) {
            if !header.is_empty() {
                header.push(',');
            }
            header.push_str(member);
        }
        header
    }
}
