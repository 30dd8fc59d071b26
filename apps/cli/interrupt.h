/// Ctrl-C: the first one asks, so that the record being written is finished; a second one ends the process at once.
#pragma once

namespace glimpse::apps {

/// Catches SIGINT and SIGTERM from now on, except those that the parent chose to ignore.
void catch_interrupts();
bool interrupted();

}  // namespace glimpse::apps
