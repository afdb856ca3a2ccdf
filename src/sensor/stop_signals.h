#pragma once
// How the node's programs are told to end.

namespace egret::sensor {

// Holds back SIGTERM and SIGINT from now on; gives a descriptor that is readable once one of them came.
int stop_signals();

}  // namespace egret::sensor
