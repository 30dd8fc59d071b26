/// The one exception type that glimpse throws, and how names from outside are shown in its messages.
///
/// A message is one line and says what went wrong, with which file, name or value, and what to do where that is known.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace glimpse {

/// Why something failed. `to_string` gives the word that stands in JSON records; the command line maps codes to exit
/// codes.
enum class ErrorCode {
  kInternal,     ///< a defect of glimpse itself
  kUsage,        ///< an option or argument makes no sense
  kMissing,      ///< a file or folder does not exist
  kPermission,   ///< it exists but may not be read or written
  kIo,           ///< reading or writing failed half-way, or the path is of the wrong kind (a folder, a device)
  kDecode,       ///< the bytes are not a picture that can be decoded
  kTooLarge,     ///< a limit on bytes or pixels was exceeded
  kModel,        ///< a model file, graph or vocabulary is malformed or does not fit together
  kDiverged,     ///< training has made numbers that are not finite, or weights that no model can hold
  kInterrupted,  ///< the user asked to stop
};

std::string_view to_string(ErrorCode code);

class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

/// `name` in single quotes, fit for one line of a terminal: control characters as \n, \t or \xNN, bytes that are not
/// UTF-8 as \xNN, and the middle cut out of names over 300 bytes.
std::string quote(std::string_view name);

}  // namespace glimpse
