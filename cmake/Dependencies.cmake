# Every package glimpse is built from, all of them Debian's.
find_package(Threads REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(Boost 1.74 REQUIRED COMPONENTS program_options)
include(${CMAKE_CURRENT_LIST_DIR}/OpenCV.cmake)
find_package(TBB REQUIRED)
find_package(ZLIB REQUIRED)
find_package(LibArchive 3.6 REQUIRED)

# libwebp's animation encoder; Debian ships no CMake package for it.
find_path(WEBP_INCLUDE_DIR NAMES webp/mux.h REQUIRED)
find_library(WEBP_LIBRARY NAMES webp REQUIRED)
find_library(WEBPMUX_LIBRARY NAMES webpmux REQUIRED)
add_library(glimpse_webp INTERFACE)
target_include_directories(glimpse_webp SYSTEM INTERFACE ${WEBP_INCLUDE_DIR})
target_link_libraries(glimpse_webp INTERFACE ${WEBPMUX_LIBRARY} ${WEBP_LIBRARY})

# oneDNN: the v2 API (operation descriptors) from 2.6 on; v3 has another API, v1 lacks primitives that are used here.
find_path(DNNL_INCLUDE_DIR NAMES oneapi/dnnl/dnnl.hpp REQUIRED)
find_library(DNNL_LIBRARY NAMES dnnl REQUIRED)
file(STRINGS "${DNNL_INCLUDE_DIR}/oneapi/dnnl/dnnl_version.h" dnnl_version_lines REGEX "#define DNNL_VERSION_(MAJOR|MINOR|PATCH) ")
foreach(part MAJOR MINOR PATCH)
  string(REGEX MATCH "DNNL_VERSION_${part} ([0-9]+)" unused "${dnnl_version_lines}")
  set(DNNL_VERSION_${part} ${CMAKE_MATCH_1})
endforeach()
set(DNNL_VERSION ${DNNL_VERSION_MAJOR}.${DNNL_VERSION_MINOR}.${DNNL_VERSION_PATCH})
if(NOT DNNL_VERSION_MAJOR EQUAL 2 OR DNNL_VERSION VERSION_LESS 2.6)
  message(FATAL_ERROR "glimpse needs oneDNN 2.6 or a later 2.x; found ${DNNL_VERSION} in ${DNNL_INCLUDE_DIR}. "
                      "On Debian 12: apt-get install libdnnl-dev")
endif()

# The threading runtime that this oneDNN was built with decides how glimpse hands it threads.
file(STRINGS "${DNNL_INCLUDE_DIR}/oneapi/dnnl/dnnl_config.h" dnnl_runtime_line REGEX "#define DNNL_CPU_THREADING_RUNTIME ")
if(dnnl_runtime_line MATCHES "DNNL_RUNTIME_OMP")
  set(GLIMPSE_DNNL_RUNTIME omp)
elseif(dnnl_runtime_line MATCHES "DNNL_RUNTIME_TBB")
  set(GLIMPSE_DNNL_RUNTIME tbb)
else()
  message(FATAL_ERROR "glimpse needs a oneDNN with the OpenMP or the TBB threading runtime; found '${dnnl_runtime_line}'")
endif()
message(STATUS "oneDNN ${DNNL_VERSION}, threading runtime ${GLIMPSE_DNNL_RUNTIME}: ${DNNL_LIBRARY}")

add_library(glimpse_dnnl INTERFACE)
target_include_directories(glimpse_dnnl SYSTEM INTERFACE ${DNNL_INCLUDE_DIR})
target_link_libraries(glimpse_dnnl INTERFACE ${DNNL_LIBRARY} OpenMP::OpenMP_CXX)
