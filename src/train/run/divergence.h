/// What becomes of errors about weights that training itself has made unusable.
#pragma once

#include <string>

#include "core/error.h"

namespace glimpse::train {

inline constexpr const char* kDivergenceRemedy = "a lower learning-rate or clip may help";

/// Calls `body`, which uses weights as training has left them at `where`. A model that is made of them and refused
/// (Error(kModel): numbers that are not finite, or too large to be stored) has diverged: Error(kDiverged).
template <typename Body>
auto blame_training(const std::string& where, const Body& body) {
  try {
    return body();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kModel) throw;
    throw Error(ErrorCode::kDiverged, where + ": " + error.what() + "; " + kDivergenceRemedy);
  }
}

}  // namespace glimpse::train
