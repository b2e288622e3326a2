//! Bugs that the sanitizers and valgrind must find: a tool that finds nothing has to show that it could.

use std::time::Instant;

use crate::command::Seconds;
use crate::mutants;
use crate::sanitizers::Tool;

/// A bug of `loom-tests/mutants`, the test that it shows in, and what the tool says of it.
struct Plant {
    tool: Tool,
    mutant: &'static str,
    tests: &'static str,
    says: &'static str,
}

const PLANTS: &[Plant] = &[
    Plant {
        tool: Tool::Address,
        mutant: "child_does_not_hold_its_parent",
        tests: "--lib context::tests::memory",
        says: "AddressSanitizer: heap-use-after-free",
    },
    Plant {
        tool: Tool::Thread,
        mutant: "ring_item_pushed_without_release",
        tests: "--lib queue::ring",
        says: "ThreadSanitizer: data race",
    },
    Plant {
        tool: Tool::Thread,
        mutant: "funnel_slot_filled_without_release",
        tests: "--lib queue::funnel",
        says: "ThreadSanitizer: data race",
    },
    Plant {
        tool: Tool::Memory,
        mutant: "child_does_not_hold_its_parent",
        tests: "--lib context::tests::memory",
        says: "Invalid read of size",
    },
    Plant {
        tool: Tool::Memory,
        mutant: "credits_are_forgotten",
        tests: "--test no_context_outlives_its_tasks",
        says: "are definitely lost",
    },
    Plant {
        tool: Tool::Shuttle,
        mutant: "worker_goes_with_its_queue",
        tests: "a_shutdown_in_the_middle",
        says: "each future is dropped",
    },
    Plant {
        tool: Tool::Shuttle,
        mutant: "aborted_outside_its_context",
        tests: "wakes_and_aborts_from_outside",
        says: "STALE: the drop of a future",
    },
    Plant {
        tool: Tool::Shuttle,
        mutant: "restores_what_the_first_poll_saw",
        tests: "eight_tasks_on_three_workers",
        says: "STALE: ",
    },
    Plant {
        tool: Tool::Shuttle,
        mutant: "no_last_look",
        tests: "eight_tasks_on_three_workers",
        says: "deadlock! blocked tasks",
    },
];

/// Plants each bug that is meant for this tool and returns whether it found them all.
pub(crate) fn hunt(tool: Tool) -> bool {
    let mut all = true;
    for plant in PLANTS.iter().filter(|plant| plant.tool == tool) {
        let start = Instant::now();
        println!("{}: {}", plant.mutant, plant.tests);
        let found = plant.find();
        let took = Seconds(start.elapsed());
        match &found {
            Ok(()) => println!("    found in {took}: {:?}", plant.says),
            Err(complaint) => println!("    NOT FOUND in {took}: {complaint}"),
        }
        all &= found.is_ok();
    }
    all
}

impl Plant {
    fn find(&self) -> Result<(), String> {
        let tree = mutants::planted(self.mutant)?;
        let (good, said) = self.tool.step(self.mutant, self.tests).output_in(&tree)?;
        if good {
            return Err("it passed".to_owned());
        }
        match said.contains(self.says) {
            true => Ok(()),
            false => Err(format!("it failed, but of something else:\n{said}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tool_has_a_bug_to_find() {
        for tool in [Tool::Address, Tool::Thread, Tool::Memory, Tool::Shuttle] {
            assert!(PLANTS.iter().any(|plant| plant.tool == tool), "{tool:?}");
        }
    }
}
