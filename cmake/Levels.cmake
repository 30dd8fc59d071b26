# glimpse_level(NAME SOURCES ... [LINK ...]): one level of the architecture as a static library of its own, so that tests link only what they
# test and the linker keeps the levels apart. glimpse_library() gathers all of them into the library that users link.

add_library(glimpse_options INTERFACE)
target_include_directories(glimpse_options INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(glimpse_options INTERFACE -Wall -Wextra -Werror -Wno-unknown-pragmas)
if(GLIMPSE_SANITIZE)
  target_compile_options(glimpse_options INTERFACE -fsanitize=${GLIMPSE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(glimpse_options INTERFACE -fsanitize=${GLIMPSE_SANITIZE})
endif()

function(glimpse_level name)
  cmake_parse_arguments(PARSE_ARGV 1 level "" "" "SOURCES;LINK")
  add_library(glimpse_${name} STATIC ${level_SOURCES})
  target_link_libraries(glimpse_${name} PUBLIC glimpse_options ${level_LINK})
  set_property(GLOBAL APPEND PROPERTY GLIMPSE_LEVELS ${name})
endfunction()

function(glimpse_library)
  get_property(levels GLOBAL PROPERTY GLIMPSE_LEVELS)
  set(objects)
  foreach(level IN LISTS levels)
    list(APPEND objects $<TARGET_OBJECTS:glimpse_${level}>)
  endforeach()
  add_library(glimpse ${objects})
  add_library(glimpse::glimpse ALIAS glimpse)
  set_target_properties(glimpse PROPERTIES LINKER_LANGUAGE CXX VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
  target_compile_features(glimpse PUBLIC cxx_std_20)
  target_include_directories(glimpse PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/glimpse>)
  target_link_libraries(glimpse PRIVATE $<BUILD_INTERFACE:glimpse_options>
                        ${DNNL_LIBRARY} OpenMP::OpenMP_CXX opencv_core opencv_imgproc opencv_imgcodecs opencv_freetype TBB::tbb Threads::Threads)
endfunction()
