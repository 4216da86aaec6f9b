//! A lock whose owner dies at any step: the value is old or new, the lock comes back, and its next owner
//! is notified of the death.

mod owner;
mod poisoned;
mod repairer;
mod staging;
mod waiters;

use crate::models;
use crate::search::{ALL, up_to};

models! {
    "owner_dies" => owner::owner_dies(ALL),
    "owner_dies/2_survivors" => owner::owner_dies_before_two(ALL),
    "owner_dies_in_place" => owner::owner_dies_in_place(ALL),
    "repairer_dies" => repairer::repairer_dies(ALL),
    "repairer_dies_in_place" => repairer::repairer_dies_in_place(ALL),
    "fourth_death" => repairer::fourth_death(ALL),
    "reinitialised_by_one" => poisoned::reinitialised_by_one(up_to(3)),
    "reinitialiser_dies" => poisoned::reinitialiser_dies(ALL),
    "given_up_while_another_tries" => poisoned::given_up_while_another_tries(ALL),
    "woken_waiter_dies" => waiters::woken_waiter_dies(up_to(2)),
    "notifier_dies" => waiters::notifier_dies(ALL),
    "a_repair_is_a_change" => waiters::a_repair_is_a_change(up_to(3)),
    "a_successor_wakes_for_the_dead" => waiters::a_successor_wakes_for_the_dead(up_to(3)),
}
