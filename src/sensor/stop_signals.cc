#include "sensor/stop_signals.h"

#include <signal.h>
#include <sys/signalfd.h>

namespace egret::sensor {

int stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return signalfd(-1, &signals, SFD_CLOEXEC);
}

}  // namespace egret::sensor
