#pragma once
// What follows once the owner is known: names and regions, trigger, release, credentials, verdict, plan, timeline, facts.
#include "base/result.h"
#include "base/time.h"
#include "investigate/answer.h"
#include "store/engine.h"

namespace egret::investigate {

// Reads alert, contacts, candidates and owners of the answer and fills the rest (except `missing`). A query of the content
// that fails is an error; data that is not there leaves the part empty and lowers what is claimed.
Result<void> conclude(store::Engine& engine, Ticks now, Answer& answer);

}  // namespace egret::investigate
