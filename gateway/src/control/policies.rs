//! Routing policies: the conditional routes of a configuration, one by one. Each change of one is a version of the whole.

use serde_json::{Value as Json, json};

use super::{
    author::{Author, Wish},
    document,
    organisations::{self, Edit, no_such},
    state::Control,
};
use crate::{
    api::{ListObject, RoutingPolicy, RoutingPolicyDeleted, RoutingPolicyDeletedObject, RoutingPolicyList},
    refusal::{Cause, Refusal},
    secret::Wiped,
    store::Revision,
};

impl Control {
    /// # Errors
    /// 404 without the organisation.
    pub fn policies(&self, author: &Author, organisation: &str) -> Result<RoutingPolicyList, Refusal> {
        author.may(Wish::Read, organisation)?;
        let (shown, _) = self.shown(organisation)?;
        let data = routes(&shown).iter().filter_map(read).collect();
        Ok(RoutingPolicyList { object: ListObject, data })
    }

    /// # Errors
    /// 400 for a wrong policy, 404 without the organisation, 409 when the name is taken.
    pub fn create_policy(&mut self, author: &Author, organisation: &str, sent: Json) -> Result<RoutingPolicy, Refusal> {
        author.may(Wish::Change, organisation)?;
        let (mut shown, seen) = self.shown(organisation)?;
        let name = sent["name"].as_str().unwrap_or_default().to_owned();
        if position(&shown, &name).is_some() {
            let message = "the organisation has another policy with this name";
            return Err(Refusal::new(Cause::Conflict, message).param("name").code("name_taken"));
        }
        let place = &mut shown["routing"]["conditional_routes"];
        match place.as_array_mut() {
            Some(all) => all.push(sent),
            None => *place = json!([sent]),
        }
        self.write(author, organisation, shown, seen, &name)
    }

    /// # Errors
    /// 400 for a wrong policy, 404 without it.
    pub fn update_policy(
        &mut self,
        author: &Author,
        organisation: &str,
        name: &str,
        patch: Json,
    ) -> Result<RoutingPolicy, Refusal> {
        author.may(Wish::Change, organisation)?;
        let (mut shown, seen) = self.shown(organisation)?;
        let at = position(&shown, name).ok_or_else(|| no_policy(name))?;
        let policy = &mut shown["routing"]["conditional_routes"][at];
        let Json::Object(patch) = patch else { return Err(Refusal::new(Cause::Invalid, "expected a JSON object")) };
        for (key, value) in patch {
            if key == "name" {
                return Err(Refusal::invalid("name", "a policy keeps its name: make another one"));
            }
            policy[key] = value;
        }
        self.write(author, organisation, shown, seen, name)
    }

    /// # Errors
    /// 404 without it.
    pub fn delete_policy(
        &mut self,
        author: &Author,
        organisation: &str,
        name: &str,
    ) -> Result<RoutingPolicyDeleted, Refusal> {
        author.may(Wish::Change, organisation)?;
        let (mut shown, seen) = self.shown(organisation)?;
        let at = position(&shown, name).ok_or_else(|| no_policy(name))?;
        if let Some(all) = shown["routing"]["conditional_routes"].as_array_mut() {
            all.remove(at);
        }
        self.edit(author, organisation, Some(&seen.to_string()), Edit::Replace(Wiped(shown)))?;
        Ok(RoutingPolicyDeleted { object: RoutingPolicyDeletedObject, name: name.to_owned(), deleted: true })
    }

    fn write(
        &mut self,
        author: &Author,
        organisation: &str,
        config: Json,
        seen: Revision,
        name: &str,
    ) -> Result<RoutingPolicy, Refusal> {
        self.edit(author, organisation, Some(&seen.to_string()), Edit::Replace(Wiped(config)))?;
        let (shown, _) = self.shown(organisation)?;
        position(&shown, name).and_then(|at| read(&routes(&shown)[at])).ok_or_else(|| no_policy(name))
    }

    /// A configuration as it is shown, and its state.
    fn shown(&self, organisation: &str) -> Result<(Json, Revision), Refusal> {
        organisations::is_configurable(organisation)?;
        let (head, revision) = organisations::head(&*self.store, organisation)?;
        Ok((document::show(&head.config), revision))
    }
}

fn routes(shown: &Json) -> &[Json] {
    shown["routing"]["conditional_routes"].as_array().map_or(&[], Vec::as_slice)
}

fn position(shown: &Json, name: &str) -> Option<usize> {
    routes(shown).iter().position(|policy| policy["name"] == name)
}

fn read(policy: &Json) -> Option<RoutingPolicy> {
    serde_json::from_value(policy.clone()).ok()
}

fn no_policy(name: &str) -> Refusal {
    no_such("policy", name, "name")
}
