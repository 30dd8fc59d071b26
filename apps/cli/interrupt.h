/// Ctrl-C: the first one asks, so that the record being written is finished; a second one ends the process at once.
#pragma once

#include <stop_token>

namespace glimpse::apps {

/// Catches SIGINT and SIGTERM from now on, except those that the parent chose to ignore. Called once.
void catch_interrupts();

/// Stop is requested of it soon after the first of them.
std::stop_token interrupt_token();

inline bool interrupted() { return interrupt_token().stop_requested(); }

}  // namespace glimpse::apps
