# glimpse_level(NAME SOURCES ... [LINK ...]): one level of the architecture as a static library of its own, so that tests link only what they
# test and the linker keeps the levels apart. glimpse_library() gathers all of them into the library that users link.

add_library(glimpse_options INTERFACE)
target_include_directories(glimpse_options INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(glimpse_options INTERFACE -Wall -Wextra -Werror -Wno-unknown-pragmas)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(glimpse_options INTERFACE -Wno-restrict)  # sees overlaps in std::string that are not there: GCC bug 105651
endif()
if(GLIMPSE_SANITIZE)
  target_compile_options(glimpse_options INTERFACE -fsanitize=${GLIMPSE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(glimpse_options INTERFACE -fsanitize=${GLIMPSE_SANITIZE})
endif()

function(glimpse_level name)
  cmake_parse_arguments(PARSE_ARGV 1 level "" "" "SOURCES;LINK")
  add_library(glimpse_${name} STATIC ${level_SOURCES})
  target_link_libraries(glimpse_${name} PUBLIC glimpse_options ${level_LINK})
  set_property(GLOBAL APPEND PROPERTY GLIMPSE_LEVELS ${name})
  list(FILTER level_LINK INCLUDE REGEX "^glimpse_")
  list(TRANSFORM level_LINK REPLACE "^glimpse_" "")
  set_property(GLOBAL PROPERTY GLIMPSE_LINKS_${name} ${level_LINK})
endfunction()

# glimpse_write_levels(FILE): the levels, lowest first, and what each links, as CMake that tests/walls reads.
function(glimpse_write_levels file)
  get_property(levels GLOBAL PROPERTY GLIMPSE_LEVELS)
  set(text "set(levels ${levels})\n")
  foreach(level IN LISTS levels)
    get_property(links GLOBAL PROPERTY GLIMPSE_LINKS_${level})
    string(APPEND text "set(links_${level} ${links})\n")
  endforeach()
  file(WRITE ${file} "${text}")
endfunction()

# Public headers; all others are internal. Each compiles alone: the target
# glimpse_verify_interface_header_sets tries it.
set(GLIMPSE_PUBLIC_HEADERS
  core/buffer.h core/error.h core/file.h core/geometry.h core/preprocess.h core/random.h core/safetensors.h core/tensor.h core/text.h
  dnn/plan/plan.h dnn/runtime/threads.h
  model/model.h

  search/search.h search/step_model.h
  decoder/caption.h decoder/decoder.h decoder/vocabulary.h
  image/animation.h image/image.h
  overlay/overlay.h
  report/report.h
  pipeline/batch_runner.h pipeline/captioner.h pipeline/locations.h pipeline/model_facts.h pipeline/picture_sink.h pipeline/region.h)

function(glimpse_library)
  get_property(levels GLOBAL PROPERTY GLIMPSE_LEVELS)
  set(objects)
  foreach(level IN LISTS levels)
    list(APPEND objects $<TARGET_OBJECTS:glimpse_${level}>)
  endforeach()
  add_library(glimpse ${objects})
  add_library(glimpse::glimpse ALIAS glimpse)
  set_target_properties(glimpse PROPERTIES LINKER_LANGUAGE CXX VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
                        VERIFY_INTERFACE_HEADER_SETS ON)
  target_compile_features(glimpse PUBLIC cxx_std_20)
  list(TRANSFORM GLIMPSE_PUBLIC_HEADERS PREPEND ${PROJECT_SOURCE_DIR}/src/ OUTPUT_VARIABLE headers)
  target_sources(glimpse PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/src FILES ${headers})
  # Programs write <glimpse/pipeline/captioner.h>, with an installed glimpse and with one that is part of their own build.
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/src ${PROJECT_BINARY_DIR}/include/glimpse SYMBOLIC)
  target_include_directories(glimpse INTERFACE $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(glimpse PRIVATE $<BUILD_INTERFACE:glimpse_options> $<BUILD_INTERFACE:${DNNL_LIBRARY}> $<INSTALL_INTERFACE:dnnl>
                        $<BUILD_INTERFACE:${WEBPMUX_LIBRARY}> $<BUILD_INTERFACE:${WEBP_LIBRARY}> $<INSTALL_INTERFACE:webpmux> $<INSTALL_INTERFACE:webp>
                        OpenMP::OpenMP_CXX opencv_core opencv_imgproc opencv_imgcodecs opencv_freetype TBB::tbb ZLIB::ZLIB LibArchive::LibArchive Threads::Threads)
endfunction()
