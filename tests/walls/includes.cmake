# cmake -DSOURCE_DIR=... -DLEVELS=... -P includes.cmake: fails, naming file and line, where an include breaks one of the walls of the
# architecture: a level includes only itself and the levels that its LINK list names, those stand below it, and only some levels know certain
# libraries. LEVELS is the file that glimpse_write_levels() writes from the LINK lists.
cmake_minimum_required(VERSION 3.25)
include(${LEVELS})

# pattern of an include | files that may have it, as a pattern of the path below SOURCE_DIR
set(library_walls
  "dnnl[a-z_]*\\.h|^src/dnn/"
  "omp\\.h|^src/dnn/"
  "webp/|^src/image/"
  "opencv2/|^src/(image|synthetic|overlay|report)/"
  "(tbb|oneapi/tbb)/|^src/(pipeline/|data/|dnn/runtime/threads_tbb\\.cc$)"
  "nlohmann/|^src/core/json\\.cc$"
  "boost/|^apps/cli/arguments\\.cc$")

set(breaches)
file(GLOB_RECURSE files RELATIVE ${SOURCE_DIR} ${SOURCE_DIR}/src/*.h ${SOURCE_DIR}/src/*.cc ${SOURCE_DIR}/apps/*.h ${SOURCE_DIR}/apps/*.cc)
list(LENGTH files file_count)
if(file_count EQUAL 0)
  message(FATAL_ERROR "no sources in ${SOURCE_DIR}")
endif()

foreach(level IN LISTS levels)
  list(FIND levels ${level} own_height)
  foreach(link IN LISTS links_${level})
    list(FIND levels "${link}" height)
    if(height GREATER_EQUAL own_height)
      list(APPEND breaches "src/${level}/CMakeLists.txt: links ${link}, which stands above it")
    endif()
  endforeach()
endforeach()

foreach(file IN LISTS files)
  string(REGEX MATCH "^src/([a-z]+)/" in_level "${file}")
  set(own_level "${CMAKE_MATCH_1}")
  if(in_level)
    if(NOT own_level IN_LIST levels)
      list(APPEND breaches "${file}: '${own_level}' is no level of the architecture")
      continue()
    endif()
  endif()
  file(STRINGS ${SOURCE_DIR}/${file} includes REGEX "^[ \t]*#[ \t]*include[ \t]*[<\"]")
  foreach(line IN LISTS includes)
    string(REGEX REPLACE "^[ \t]*#[ \t]*include[ \t]*[<\"]([^>\"]+).*" "\\1" included "${line}")
    foreach(wall IN LISTS library_walls)
      string(REGEX MATCH "^(.*)\\|(\\^.*|\\\\.*)$" unused "${wall}")
      set(pattern "${CMAKE_MATCH_1}")
      set(allowed "${CMAKE_MATCH_2}")
      if(included MATCHES "(^|/)${pattern}" AND NOT file MATCHES "${allowed}")
        list(APPEND breaches "${file}: includes <${included}>, which belongs into ${allowed} only")
      endif()
    endforeach()
    string(REGEX MATCH "^([a-z]+)/" unused "${included}")
    set(included_level "${CMAKE_MATCH_1}")
    if(unused AND in_level AND included_level IN_LIST levels AND NOT included_level STREQUAL own_level
       AND NOT included_level IN_LIST links_${own_level})
      list(APPEND breaches "${file}: includes \"${included}\", but level ${own_level} does not link ${included_level}")
    endif()
    if(in_level AND (included MATCHES "\\.\\./" OR included MATCHES "^apps/"))
      list(APPEND breaches "${file}: includes \"${included}\", which lies outside src")
    endif()
  endforeach()
endforeach()

if(breaches)
  list(JOIN breaches "\n  " text)
  message(FATAL_ERROR "walls of the architecture are broken:\n  ${text}")
endif()
message(STATUS "${file_count} files keep the walls")
