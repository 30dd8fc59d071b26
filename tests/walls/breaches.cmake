# Tests the guard itself: plants one breach of each kind and expects includes.cmake to name it.
cmake_minimum_required(VERSION 3.25)

# file|include line
set(planted
  "src/core/a.cc|#include \"dnn/plan/plan.h\""
  "src/search/m.cc|#include \"net/graph.h\""
  "src/net/b.h|#include \"pipeline/captioner.h\""
  "src/decoder/c.cc|#include <oneapi/dnnl/dnnl.hpp>"
  "src/image/d.cc|#include <omp.h>"
  "src/pipeline/e.cc|  #  include <opencv2/core.hpp>"
  "src/overlay/l.cc|#include <webp/mux.h>"
  "apps/f.cc|#include <opencv2/imgproc.hpp>"
  "src/search/g.cc|#include <tbb/parallel_for.h>"
  "src/dnn/h.cc|#include <oneapi/tbb/task_arena.h>"
  "src/model/i.cc|#include <nlohmann/json.hpp>"
  "apps/j.h|#include <boost/program_options.hpp>"
  "src/core/k.cc|#include \"../../apps/records.h\"")

foreach(breach IN LISTS planted)
  string(REGEX MATCH "^([^|]+)\\|(.*)$" unused "${breach}")
  set(file "${CMAKE_MATCH_1}")
  set(line "${CMAKE_MATCH_2}")
  file(REMOVE_RECURSE ${SCRATCH_DIR})
  file(WRITE ${SCRATCH_DIR}/${file} "// a breach\n${line}\n")
  execute_process(COMMAND ${CMAKE_COMMAND} -DSOURCE_DIR=${SCRATCH_DIR} -DLEVELS=${LEVELS} -P ${CMAKE_CURRENT_LIST_DIR}/includes.cmake
                  RESULT_VARIABLE status ERROR_VARIABLE errors OUTPUT_QUIET)
  if(status EQUAL 0 OR NOT errors MATCHES "${file}")
    message(SEND_ERROR "not noticed: ${line} in ${file}\n${errors}")
  endif()
endforeach()
file(REMOVE_RECURSE ${SCRATCH_DIR})
