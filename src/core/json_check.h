/// The gate that JSON from outside goes through before it is parsed: so that no parser's exception, and no depth that
/// would exhaust a stack, gets further.
#pragma once

#include <string>
#include <string_view>

#include "core/error.h"

namespace glimpse {

/// How a text is spoken of, and what it may be.
struct JsonCheck {
  ErrorCode code = ErrorCode::kUsage;  ///< of the errors
  int deepest = 16;                    ///< arrays and objects inside each other
  int first_line = 1;                  ///< the line of `file` that the text begins on
};

/// Throws Error with `file` and the line where `text` breaks off being JSON (RFC 8259, UTF-8), has a number that no
/// double can hold, or is nested too deeply.
void check_json(std::string_view text, const std::string& file, const JsonCheck& check = {});

}  // namespace glimpse
