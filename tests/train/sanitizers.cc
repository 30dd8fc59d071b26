// What ThreadSanitizer should leave out when these tests run under it.

/// TBB hands its tasks' memory from thread to thread in a library that is not compiled with ThreadSanitizer, and OpenCV
/// brings GDAL, whose locks change their order while it is set up. Names of functions that only they have.
extern "C" const char* __tsan_default_suppressions() {
  return "race:new_object\n"
         "race:delete_object\n"
         "deadlock:libgdal\n";
}
