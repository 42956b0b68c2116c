-- CAPTCHA and challenge can both run on one request, so each is read by itself.
with request as (
    select
        request.client_ip,
        request.captcha_response.response_code as captcha_code,
        request.captcha_response.failure_reason as captcha_failure,
        request.challenge_response.response_code as challenge_code,
        request.challenge_response.failure_reason as challenge_failure,
        date_trunc('minute', request.event_time)
        - interval '1' minute * mod(extract(minute from request.event_time), 5) as bucket,
        coalesce(request.webacl, '-') as webacl,
        coalesce(request.account_id, '-') as account_id,
        coalesce(request.region, '-') as region,
        coalesce(request.action, '-') as action,
        case
            when request.method in (
                'CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE'
            ) then request.method
            else 'other'
        end as method
    from waf.requests as request
    where
        request.event_time >= {{ start }}
        and request.event_time < {{ end }}
        and (
            request.action in ('CAPTCHA', 'CHALLENGE')
            or request.captcha_response.response_code is not null
            or request.captcha_response.failure_reason is not null
            or request.challenge_response.response_code is not null
            or request.challenge_response.failure_reason is not null
        )
),

answer as (
    select
        bucket,
        account_id,
        region,
        webacl,
        method,
        action,
        client_ip,
        'CAPTCHA' as mechanism,
        captcha_failure as failure,
        captcha_code as code
    from request
    where action = 'CAPTCHA' or captcha_failure is not null or captcha_code is not null
    union all
    select
        bucket,
        account_id,
        region,
        webacl,
        method,
        action,
        client_ip,
        'CHALLENGE' as mechanism,
        challenge_failure as failure,
        challenge_code as code
    from request
    where action = 'CHALLENGE' or challenge_failure is not null or challenge_code is not null
),

judged as (
    select
        *,
        case
            when failure is not null then failure
            when code is not null and action <> mechanism then 'SOLVED'
            else '-'
        end as outcome
    from answer
)

select
    bucket,
    cast(bucket as date) as event_date,
    account_id,
    region,
    webacl,
    mechanism,
    outcome,
    method,
    count(*) as requests,
    count(distinct client_ip) as unique_ips
from judged
group by bucket, account_id, region, webacl, mechanism, outcome, method
