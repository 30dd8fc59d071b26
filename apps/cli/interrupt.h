/// Ctrl-C: the first one requests a stop, so that the current record is finished; a second one ends the process.
#pragma once

#include <stop_token>

namespace glimpse::apps {

/// Catches SIGINT and SIGTERM from now on, except those that the parent chose to ignore. Called once.
void catch_interrupts();

/// Its stop is requested soon after the first signal.
std::stop_token interrupt_token();

inline bool interrupted() { return interrupt_token().stop_requested(); }

}  // namespace glimpse::apps
