-- Health of an EncryptedSecret: what its condition Ready says about the generation that is there now.
local health = {status = "Progressing", message = "waiting for the controller"}
if obj.spec ~= nil and obj.spec.suspend == true and obj.spec.suspendUntil == nil then
  health.status = "Suspended"
  health.message = "suspended"
  return health
end
if obj.status == nil or obj.status.conditions == nil then
  return health
end
if obj.status.observedGeneration ~= nil and obj.metadata.generation ~= nil
  and obj.status.observedGeneration < obj.metadata.generation then
  health.message = "the controller has not seen this generation yet"
  return health
end
for _, condition in ipairs(obj.status.conditions) do
  if condition.type == "Ready" then
    health.message = condition.reason
    if condition.message ~= nil and condition.message ~= "" then
      health.message = condition.reason .. ": " .. condition.message
    end
    if condition.status == "True" then
      health.status = "Healthy"
    elseif condition.status == "False" then
      health.status = "Degraded"
    elseif condition.reason == "Suspended" then
      health.status = "Suspended"
    end
  end
end
return health
