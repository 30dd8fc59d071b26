# cmake -DOUTPUT=report_assets.cc -P EmbedFiles.cmake -- FILE...: C++ that defines glimpse::report_assets(), each file's text in a raw string.
cmake_minimum_required(VERSION 3.25)

set(delimiter "=embedded=")
set(entries)
set(is_file FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(index RANGE ${last})
  set(argument "${CMAKE_ARGV${index}}")
  if(is_file)
    get_filename_component(name "${argument}" NAME)
    file(READ "${argument}" text)
    if(text MATCHES "\\)${delimiter}\"")
      message(FATAL_ERROR "${argument} has )${delimiter}\" in it, which ends a raw string")
    endif()
    string(APPEND entries "    {\"${name}\", R\"${delimiter}(${text})${delimiter}\"},\n")
  elseif(argument STREQUAL "--")
    set(is_file TRUE)
  endif()
endforeach()

file(WRITE "${OUTPUT}" "// Made by cmake/EmbedFiles.cmake.
#include \"report/report_assets.h\"

namespace glimpse {
namespace {

constexpr ReportAsset kAssets[] = {
${entries}};

}  // namespace

std::span<const ReportAsset> report_assets() { return kAssets; }

}  // namespace glimpse
")
