/// What a call throws that is used wrongly.
#pragma once

#include <gmock/gmock.h>

#include <string>

#include "core/error.h"

namespace glimpse::testing {

/// Matches a callable that throws Error(kUsage) with `text` in its message.
inline auto throws_usage(const std::string& text) {
  return ::testing::Throws<Error>(
      ::testing::AllOf(::testing::Property("code", &Error::code, ErrorCode::kUsage),
                       ::testing::Property("what", &Error::what, ::testing::HasSubstr(text))));
}

}  // namespace glimpse::testing
