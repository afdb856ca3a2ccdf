#pragma once
#include "incident/cases.h"
#include "model/batch.h"

namespace egret::incident {

// The incident as it stands, as one row of SecurityIncident (each change of an incident is a further row, as in Sentinel).
model::Batch incident_row(const Case& c, Ticks now);

}  // namespace egret::incident
