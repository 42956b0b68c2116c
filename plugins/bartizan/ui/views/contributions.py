from fastapi import APIRouter
pages = APIRouter(); api = APIRouter()
