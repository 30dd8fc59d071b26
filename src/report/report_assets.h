/// The report's page as it stands in assets/report, part of the program: style and scripts that are the same for every
/// report.
#pragma once

#include <span>
#include <string_view>

namespace glimpse {

struct ReportAsset {
  std::string_view name;  ///< of the file
  std::string_view text;
};

std::span<const ReportAsset> report_assets();

}  // namespace glimpse
