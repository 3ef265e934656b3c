#pragma once

namespace tagbench {

// After this, SIGINT and SIGTERM set a flag; a second signal ends the process at once. Only for work that polls the
// flag, because there is something to finish or to clean up: elsewhere the signals end the process, as they should.
void handle_interrupts();
bool interrupt_requested();
// Errors: Interrupted if a signal arrived. Called by long work between units that are safe on disk.
void throw_if_interrupted();

}  // namespace tagbench
