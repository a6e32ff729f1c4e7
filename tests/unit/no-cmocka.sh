#!/bin/sh
# Stands in the list of tests where the unit tests could not be built.
echo '1..0 # SKIP cmocka is missing: no unit test was built (install libcmocka-dev)'
