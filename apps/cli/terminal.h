/// Standard output and standard error as glimpse uses them: results are written record by record and every failure to
/// write is noticed; messages are one line each; colour appears only on a terminal, and not where NO_COLOR is set.
#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace glimpse::apps {

/// The reader of standard output has closed it (`| head -1`). Not an error: the process ends quietly.
struct ReaderGone : std::exception {};

/// Writes to standard output, unbuffered: what was written is out. Throws Error(kIo), or ReaderGone.
void write_output(std::string_view text);

/// Writes "glimpse: error: MESSAGE" to standard error.
void report_error(std::string_view message);
/// Writes "glimpse: MESSAGE" to standard error.
void report(std::string_view message);

/// Whether standard error is a terminal.
bool errors_on_terminal();
/// Replaces the current line of standard error, a terminal, by `text`; empty: clears it.
void write_status(std::string_view text);

/// `text` in bold where standard output is a terminal that shows colours.
std::string bold(std::string_view text);
/// Columns of the terminal that standard output is; 100 where it is none.
int terminal_width();

}  // namespace glimpse::apps
